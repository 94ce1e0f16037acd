// SPDX-License-Identifier: MIT
// evl version: the versions of the library and of the ABI it needs, and the ABI of the kernel.

#include <cstdio>
#include <cstring>

#include "common/files.h"
#include "common/system.h"
#include "evl/plugins.h"

int main(int argc, char** argv) {
  using namespace utils;
  if (argc == 2 && strcmp(argv[1], "-@") == 0) {
    puts("prints the versions of the library and of the ABI");
    return kDone;
  }
  if (argc != 1) {
    fputs("usage: evl version\n", stderr);
    return kWrongUse;
  }
  puts(version_line().c_str());
  const auto served = read_file(System::from_environment().control_attribute("abi"));
  printf("core: %s%s\n", served ? "ABI " : "none", served ? served->c_str() : "");
  return kDone;
}
