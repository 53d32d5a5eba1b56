#include "cli/command_line.h"

int main(int argc, char** argv) {
  return slipway::cli::Main(argc, argv);
}
