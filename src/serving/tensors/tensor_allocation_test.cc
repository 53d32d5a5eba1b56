// In steady state a good request allocates nothing on its way into columns.

#include <gtest/gtest.h>

#include "base/allocation_count_test.h"
#include "serving/tensors/contract_fixture.h"
#include "serving/tensors/tensor_decoder.h"

namespace slipway::serving::tensors {
namespace {

int64_t AllocationsOf(TensorDecoder& decoder, data::Decoded& rows, data::JsonCursor& cursor, std::string_view raw,
                      std::string_view json) {
  const int64_t before = base::AllocationsOfThisThread();
  rows.Clear();
  decoder.Begin(rows);
  Shape scalars;
  scalars.Add(100);
  Shape tensors = scalars;
  tensors.Add(2);
  tensors.Add(2);
  for (const char* name : {"n", "m"})
    EXPECT_TRUE(decoder.AddRaw(*decoder.Admit({name, Datatype::kFp32, scalars}), raw));
  EXPECT_TRUE(decoder.AddRaw(*decoder.Admit({"i", Datatype::kInt32, scalars}), raw));
  bool broken = !cursor.Open(json);
  EXPECT_TRUE(decoder.AddJson(*decoder.Admit({"g", Datatype::kFp32, tensors}), cursor, broken));
  EXPECT_FALSE(broken);
  EXPECT_TRUE(decoder.End());
  return base::AllocationsOfThisThread() - before;
}

TEST(TensorAllocation, AWarmDecoderAllocatesNothing) {
  const data::Layout layout = EveryKind();
  const Contract contract = ContractOf(layout);
  TensorDecoder decoder(contract, layout);
  data::Decoded rows(layout);
  data::JsonCursor cursor(data::JsonBounds{});
  const std::string raw(400, '\x01');
  std::string json = "[0.5";
  for (int i = 1; i < 400; ++i) json += ",0.25";
  json += "]";
  EXPECT_GT(AllocationsOf(decoder, rows, cursor, raw, json), 0);
  EXPECT_EQ(AllocationsOf(decoder, rows, cursor, raw, json), 0);
}

}  // namespace
}  // namespace slipway::serving::tensors
