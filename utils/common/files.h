// SPDX-License-Identifier: MIT
// Small files of the system: sysfs, procfs. Every path is taken below a root folder, so that the
// tests can bring a system of their own.
#ifndef UTILS_COMMON_FILES_H
#define UTILS_COMMON_FILES_H

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace utils {

/// What the file holds, the last line end cut off; nothing if it cannot be read.
[[nodiscard]] std::optional<std::string> read_file(const std::string& path);

/// The names in a folder, sorted, without "." and ".."; none if there is no such folder.
[[nodiscard]] std::vector<std::string> list_folder(const std::string& path);

/// Writes the text over the file, which exists. Zero or a negated errno.
[[nodiscard]] int write_attribute(const std::string& path, std::string_view text);

/// Makes a file that did not exist. Zero or a negated errno: EEXIST if it did.
[[nodiscard]] int write_new_file(const std::string& path, std::string_view text);

/// Makes the file, or replaces what it holds. Zero or a negated errno.
[[nodiscard]] int write_file(const std::string& path, std::string_view text);

}  // namespace utils

#endif  // UTILS_COMMON_FILES_H
