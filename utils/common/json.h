// SPDX-License-Identifier: MIT
// Writes one JSON text (RFC 8259), values in the order of the calls.
#ifndef UTILS_COMMON_JSON_H
#define UTILS_COMMON_JSON_H

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace utils {

// The caller closes what it opens, and names members inside of objects only: asserted.
class JsonWriter final {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  /// The name of the member whose value comes next.
  JsonWriter& name(std::string_view text);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view{text}); }
  JsonWriter& value(bool yes) { return plain(yes ? "true" : "false"); }
  /// At most three digits behind the point: microseconds with nanoseconds, seconds with ms.
  JsonWriter& value(double number);
  template <std::integral T>
  JsonWriter& value(T number) {
    return plain(std::to_string(number));
  }
  JsonWriter& null() { return plain("null"); }

  template <typename T>
  JsonWriter& member(std::string_view key, const T& content) {
    return name(key).value(content);
  }

  /// The text; everything has to be closed.
  [[nodiscard]] const std::string& text() const;

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& plain(std::string_view text);
  void separate();
  void quote(std::string_view text);

  std::string text_;
  std::vector<char> open_;
  bool first_{true};
  bool named_{false};
};

}  // namespace utils

#endif  // UTILS_COMMON_JSON_H
