// SPDX-License-Identifier: MIT
// A system in a folder of its own: files laid out like sysfs, procfs and /dev, gone with the test.
#ifndef TESTS_UNIT_UTILS_FAKE_SYSTEM_H
#define TESTS_UNIT_UTILS_FAKE_SYSTEM_H

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/system.h"

namespace utils {

class FakeSystem {
 public:
  FakeSystem() {
    std::string name = (std::filesystem::temp_directory_path() / "utils-unit-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) abort();
    root_ = name;
  }
  ~FakeSystem() { std::filesystem::remove_all(root_); }
  FakeSystem(const FakeSystem&) = delete;
  FakeSystem& operator=(const FakeSystem&) = delete;

  // As an attribute of the kernel, with a line end.
  void put(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream{file} << text << '\n';
  }
  void remove(const std::string& path) { std::filesystem::remove_all(root_ + path); }
  [[nodiscard]] const std::string& root() const { return root_; }
  [[nodiscard]] System system() const { return System::below(root_); }

 private:
  std::string root_;
};

}  // namespace utils

#endif  // TESTS_UNIT_UTILS_FAKE_SYSTEM_H
