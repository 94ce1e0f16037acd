// SPDX-License-Identifier: MIT

#include "evl/plugins.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "../fake_system.h"

namespace utils {
namespace {

void make_program(FakeSystem* fake, const std::string& path) {
  fake->put(path, "#!/bin/sh");
  chmod((fake->root() + path).c_str(), 0755);
}

TEST(Plugins, AreInLibexecOfTheInstallation) {
  EXPECT_EQ(plugin_folder("/usr/local/bin/evl", ""), "/usr/local/libexec/evl");
  EXPECT_EQ(plugin_folder("/usr/bin/evl", "/opt"), "/opt/libexec/evl");
}

TEST(Plugins, BesideTheProgramInABuildFolder) {
  FakeSystem fake;
  make_program(&fake, "/evl-help");
  EXPECT_EQ(plugin_folder(fake.root() + "/evl", ""), fake.root());
}

TEST(Plugins, ThoseOfTheUserComeFirst) {
  EXPECT_EQ(path_with_plugins("/home/me/bin:/usr/bin", "/x"), "/home/me/bin:/usr/bin:/x");
  EXPECT_EQ(path_with_plugins("", "/x"), "/x");
}

TEST(Plugins, AreTheExecutableFilesWithTheName) {
  FakeSystem fake;
  make_program(&fake, "/evl-ps");
  make_program(&fake, "/evl-check");
  make_program(&fake, "/evl-");
  make_program(&fake, "/evil-ps");
  fake.put("/evl-notes", "not executable");
  fake.put("/evl-folder/file", "");
  EXPECT_EQ(list_plugins(fake.root()), (std::vector<std::string>{"check", "ps"}));
}

TEST(Plugins, HelpPadsTheNameAndTakesOneLine) {
  EXPECT_EQ(help_line("ps", "lists threads\nand more"), "ps           lists threads");
}

TEST(Plugins, VersionNamesTheAbi) {
  EXPECT_NE(version_line().find("[requires ABI 36]"), std::string::npos);
}

}  // namespace
}  // namespace utils
