// SPDX-License-Identifier: MIT
// Names of elements. See name.h.

#include "name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "evl/factory-abi.h"

namespace evl {
namespace {

// A public name is one component of a path.
bool is_file_name(const char* text) noexcept {
  return strchr(text, '/') == nullptr && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

}  // namespace

int ElementName::set(const char* text, int clone_flags) noexcept {
  clone_flags_ = clone_flags;
  text_ = nullptr;
  if (text == nullptr) return (clone_flags & EVL_CLONE_PUBLIC) != 0 ? -EINVAL : 0;

  if (*text == '/') {
    clone_flags_ |= static_cast<int>(EVL_CLONE_PUBLIC);
    ++text;
  }
  const size_t length = strnlen(text, sizeof(buffer_));
  if (length == sizeof(buffer_)) return -ENAMETOOLONG;
  if (length == 0) return -EINVAL;
  if ((clone_flags_ & EVL_CLONE_PUBLIC) != 0) {
    if (!is_file_name(text)) return -EINVAL;
    if (length > NAME_MAX) return -ENAMETOOLONG;
  }
  memmove(buffer_, text, length + 1);
  text_ = buffer_;
  return 0;
}

int ElementName::expand(int clone_flags, const char* format, va_list arguments) noexcept {
  if (format == nullptr) return set(nullptr, clone_flags);
  const int length = vsnprintf(buffer_, sizeof(buffer_), format, arguments);
  if (length < 0) return -EINVAL;
  if (static_cast<size_t>(length) >= sizeof(buffer_)) return -ENAMETOOLONG;
  return set(buffer_, clone_flags);
}

int DevicePath::set(const char* type, const char* name) noexcept {
  if (name != nullptr && *name == '/') ++name;
  const int length = name == nullptr
                         ? snprintf(buffer_, sizeof(buffer_), "/dev/evl/%s", type)
                         : snprintf(buffer_, sizeof(buffer_), "/dev/evl/%s/%s", type, name);
  return static_cast<size_t>(length) < sizeof(buffer_) ? 0 : -ENAMETOOLONG;
}

}  // namespace evl
