// SPDX-License-Identifier: MIT
// libFuzzer target: names of elements. A name that is accepted names one file of its class.

#include <string.h>

#include <cstdint>
#include <string>

#include "evl/factory-abi.h"
#include "name.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text{reinterpret_cast<const char*>(data + 1), size - 1};
  const int flags = (data[0] & 1) != 0 ? static_cast<int>(EVL_CLONE_PUBLIC) : 0;
  evl::ElementName name;
  if (name.set(text.c_str(), flags) < 0) return 0;
  const bool shared = (static_cast<unsigned int>(name.clone_flags()) & EVL_CLONE_PUBLIC) != 0;
  if (name.text() == nullptr || *name.text() == 0) __builtin_trap();
  if (shared && strchr(name.text(), '/') != nullptr) __builtin_trap();
  evl::DevicePath path;
  if (shared && path.set("monitor", name.text()) < 0) __builtin_trap();
  return 0;
}
