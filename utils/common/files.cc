// SPDX-License-Identifier: MIT

#include "common/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace utils {
namespace {

int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return -errno;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

int write_to(const std::string& path, int flags, std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666);
  if (fd < 0) return -errno;
  const int status = write_all(fd, text);
  const int closed = close(fd) < 0 ? -errno : 0;
  return status < 0 ? status : closed;
}

}  // namespace

std::optional<std::string> read_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::string text;
  char piece[4096];
  ssize_t got = 0;
  do {
    got = read(fd, piece, sizeof(piece));
    if (got > 0) text.append(piece, static_cast<size_t>(got));
  } while (got > 0 || (got < 0 && errno == EINTR));
  close(fd);
  if (got < 0) return std::nullopt;
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::vector<std::string> list_folder(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder{opendir(path.c_str()), closedir};
  if (!folder) return names;
  while (const dirent* const entry = readdir(folder.get())) {
    const std::string_view name{entry->d_name};
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

int write_attribute(const std::string& path, std::string_view text) {
  return write_to(path, O_TRUNC, text);
}

int write_new_file(const std::string& path, std::string_view text) {
  return write_to(path, O_CREAT | O_EXCL, text);
}

int write_file(const std::string& path, std::string_view text) {
  return write_to(path, O_CREAT | O_TRUNC, text);
}

}  // namespace utils
