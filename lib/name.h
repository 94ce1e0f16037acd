// SPDX-License-Identifier: MIT
// Names of elements: the expansion of a printf format, and the rule of the leading slash.
#ifndef LIB_NAME_H
#define LIB_NAME_H

#include <limits.h>
#include <stdarg.h>

namespace evl {

// The name of an element to be created or opened. Lives on the stack of one call; in-band.
class ElementName final {
 public:
  ElementName() noexcept = default;
  ElementName(const ElementName&) = delete;
  ElementName& operator=(const ElementName&) = delete;

  /// Takes a name literally; nullptr is an anonymous element.
  ///
  /// Errors: EINVAL empty, or a public name which is no file name; ENAMETOOLONG; EINVAL anonymous
  ///         and public.
  [[nodiscard]] int set(const char* text, int clone_flags) noexcept;

  /// Expands a format, then as set(). Errors: EINVAL also if the format cannot be expanded.
  [[nodiscard]] int expand(int clone_flags, const char* format, va_list arguments) noexcept;

  /// The name without its slash, or nullptr for an anonymous element.
  [[nodiscard]] const char* text() const noexcept { return text_; }

  /// The flags of the call, with EVL_CLONE_PUBLIC if the name began with a slash.
  [[nodiscard]] int clone_flags() const noexcept { return clone_flags_; }

 private:
  const char* text_{};
  int clone_flags_{};
  char buffer_[PATH_MAX];
};

// The path of a device: /dev/evl/<type>, or /dev/evl/<type>/<name>.
class DevicePath final {
 public:
  DevicePath() noexcept = default;
  DevicePath(const DevicePath&) = delete;
  DevicePath& operator=(const DevicePath&) = delete;

  /// Errors: ENAMETOOLONG. A slash at the start of the name is dropped.
  [[nodiscard]] int set(const char* type, const char* name) noexcept;

  [[nodiscard]] const char* text() const noexcept { return buffer_; }

 private:
  char buffer_[PATH_MAX];
};

}  // namespace evl

#endif  // LIB_NAME_H
