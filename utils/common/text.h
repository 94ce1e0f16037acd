// SPDX-License-Identifier: MIT
// Text: formatting, numbers, splitting. For all tools; no state.
#ifndef UTILS_COMMON_TEXT_H
#define UTILS_COMMON_TEXT_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace utils {

/// printf into a string.
[[nodiscard]] std::string format(const char* fmt, ...)
    __attribute__((__format__(__printf__, 1, 2)));

/// The whole text as a decimal number in [least, most]; nothing else may stand around it.
[[nodiscard]] std::optional<int64_t> to_integer(std::string_view text, int64_t least = INT64_MIN,
                                                int64_t most = INT64_MAX);

/// The text without blanks, tabs and line ends around it.
[[nodiscard]] std::string_view trim(std::string_view text);

/// The pieces between single separators, empty ones too: "a,,b" has three.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

/// The pieces between blanks, tabs and line ends; none is empty.
[[nodiscard]] std::vector<std::string_view> words(std::string_view text);

/// Escapes what has a meaning in XML text and attribute values.
[[nodiscard]] std::string escape_xml(std::string_view text);

/// hh:mm:ss, hours as many as it takes.
[[nodiscard]] std::string clock_time(int64_t seconds);

}  // namespace utils

#endif  // UTILS_COMMON_TEXT_H
