// SPDX-License-Identifier: MIT

#include "evl/plugins.h"

#include <evl/evl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/files.h"
#include "common/text.h"

#ifndef EVL_LIBEXECDIR
#define EVL_LIBEXECDIR "libexec"
#endif

namespace utils {
namespace {

constexpr std::string_view kMark = "evl-";

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_program(const std::string& path) {
  struct stat about {};
  return stat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::string plugin_folder(const std::string& executable, const std::string& prefix) {
  constexpr std::string_view kLibexec = EVL_LIBEXECDIR;
  const std::string own = folder_of(executable);
  if (!prefix.empty()) {
    return kLibexec.starts_with('/') ? std::string{kLibexec} + "/evl"
                                     : format("%s/%s/evl", prefix.c_str(), EVL_LIBEXECDIR);
  }
  if (is_program(own + "/evl-help")) return own;
  if (kLibexec.starts_with('/')) return std::string{kLibexec} + "/evl";
  return format("%s/%s/evl", folder_of(own).c_str(), EVL_LIBEXECDIR);
}

std::string path_with_plugins(std::string_view path, const std::string& folder) {
  // An empty entry means the current folder, which nobody asked for.
  return path.empty() ? folder : std::string{path} + ":" + folder;
}

std::vector<std::string> list_plugins(const std::string& folder) {
  std::vector<std::string> commands;
  for (const std::string& name : list_folder(folder)) {
    if (!name.starts_with(kMark) || name.size() == kMark.size()) continue;
    if (is_program(folder + "/" + name)) commands.push_back(name.substr(kMark.size()));
  }
  return commands;
}

std::string help_line(const std::string& command, std::string_view description) {
  const std::string_view line = description.substr(0, description.find('\n'));
  return format("%-12s %.*s", command.c_str(), static_cast<int>(line.size()), line.data());
}

std::string version_line() {
  const evl_version version = evl_get_version();
  return format("%s [requires ABI %d]", version.version_string, version.abi_level);
}

}  // namespace utils
