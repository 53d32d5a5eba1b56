#pragma once
// SLIPWAY_SHADOWED is defined where a sanitizer maps shadow memory, which is past any limit that is worth testing.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLIPWAY_SHADOWED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLIPWAY_SHADOWED 1
#endif
#endif
