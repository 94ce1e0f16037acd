// SPDX-License-Identifier: MIT
// The commands of evl: programs evl-<command>, found through PATH and in one folder of ours.
#ifndef UTILS_EVL_PLUGINS_H
#define UTILS_EVL_PLUGINS_H

#include <string>
#include <string_view>
#include <vector>

namespace utils {

/// The folder of the commands, for the program at `executable`: <prefix>/<libexecdir>/evl, or the
/// program's own folder where the commands lie beside it, as in a build folder. `prefix` wins over
/// the place of the program; an empty one says nothing.
[[nodiscard]] std::string plugin_folder(const std::string& executable, const std::string& prefix);

/// The user's PATH with the folder behind it: a command of the user's overrides one of ours.
[[nodiscard]] std::string path_with_plugins(std::string_view path, const std::string& folder);

/// The commands in a folder, sorted: executable files called evl-<command>.
[[nodiscard]] std::vector<std::string> list_plugins(const std::string& folder);

/// One line of `evl help`.
[[nodiscard]] std::string help_line(const std::string& command, std::string_view description);

/// "evl.0.1.0 [requires ABI 36]".
[[nodiscard]] std::string version_line();

}  // namespace utils

#endif  // UTILS_EVL_PLUGINS_H
