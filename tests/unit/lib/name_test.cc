// SPDX-License-Identifier: MIT
#include "name.h"

#include <errno.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "evl/factory-abi.h"

namespace {

using evl::DevicePath;
using evl::ElementName;

int expand(ElementName& name, int flags, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int status = name.expand(flags, format, arguments);
  va_end(arguments);
  return status;
}

bool is_public(const ElementName& name) {
  return (static_cast<unsigned int>(name.clone_flags()) & EVL_CLONE_PUBLIC) != 0;
}

TEST(ElementName, NamesArePrivateUnlessTheyBeginWithASlash) {
  ElementName name;
  ASSERT_EQ(expand(name, EVL_CLONE_PRIVATE, "lock:%d", 42), 0);
  EXPECT_STREQ(name.text(), "lock:42");
  EXPECT_FALSE(is_public(name));
  ASSERT_EQ(expand(name, EVL_CLONE_PRIVATE, "/lock:%d", 43), 0);
  EXPECT_STREQ(name.text(), "lock:43");
  EXPECT_TRUE(is_public(name));
  ASSERT_EQ(expand(name, EVL_CLONE_PUBLIC, "%s", "lock"), 0);
  EXPECT_STREQ(name.text(), "lock");
  EXPECT_TRUE(is_public(name));
}

TEST(ElementName, AnonymousElementsArePrivate) {
  ElementName name;
  EXPECT_EQ(expand(name, EVL_CLONE_PRIVATE, nullptr), 0);
  EXPECT_EQ(name.text(), nullptr);
  EXPECT_FALSE(is_public(name));
  EXPECT_EQ(expand(name, EVL_CLONE_PUBLIC, nullptr), -EINVAL);
}

TEST(ElementName, APublicNameIsAFileName) {
  ElementName name;
  for (const char* bad : {"/", "/.", "/..", "/a/b", "//a", "/a/"}) {
    EXPECT_EQ(name.set(bad, 0), -EINVAL) << bad;
  }
  EXPECT_EQ(name.set("", 0), -EINVAL);
  EXPECT_EQ(name.set("a/b", EVL_CLONE_PUBLIC), -EINVAL);
  EXPECT_EQ(name.set("a/b", 0), 0) << "the core maps the slash of a private name";
}

TEST(ElementName, LongNamesAreRefusedAndNotCut) {
  ElementName name;
  EXPECT_EQ(name.set(std::string(NAME_MAX, 'x').c_str(), EVL_CLONE_PUBLIC), 0);
  EXPECT_EQ(name.set(std::string(NAME_MAX + 1, 'x').c_str(), EVL_CLONE_PUBLIC), -ENAMETOOLONG);
  EXPECT_EQ(name.set(std::string(PATH_MAX - 1, 'x').c_str(), 0), 0);
  EXPECT_EQ(name.set(std::string(PATH_MAX, 'x').c_str(), 0), -ENAMETOOLONG);
  EXPECT_EQ(expand(name, 0, "%*d", PATH_MAX, 1), -ENAMETOOLONG);
}

// Model: strip one slash, then the rules of the page, one after the other.
TEST(ElementName, RandomNamesFollowTheModel) {
  std::mt19937 random{1};
  const std::string alphabet = "/.a%";
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (unsigned int n = random() % 5; n > 0; --n) text += alphabet[random() % alphabet.size()];
    const int flags = random() % 2 == 0 ? 0 : static_cast<int>(EVL_CLONE_PUBLIC);
    const bool slash = text.starts_with('/');
    const std::string bare = slash ? text.substr(1) : text;
    const bool shared = slash || flags != 0;
    const bool bad =
        bare.empty() ||
        (shared && (bare.find('/') != std::string::npos || bare == "." || bare == ".."));
    ElementName name;
    ASSERT_EQ(name.set(text.c_str(), flags), bad ? -EINVAL : 0) << '"' << text << "\" " << flags;
    if (bad) continue;
    ASSERT_STREQ(name.text(), bare.c_str());
    ASSERT_EQ(is_public(name), shared);
  }
}

TEST(DevicePath, JoinsClassAndName) {
  DevicePath path;
  ASSERT_EQ(path.set("trace", nullptr), 0);
  EXPECT_STREQ(path.text(), "/dev/evl/trace");
  ASSERT_EQ(path.set("monitor", "lock"), 0);
  EXPECT_STREQ(path.text(), "/dev/evl/monitor/lock");
  ASSERT_EQ(path.set("monitor", "/lock"), 0);
  EXPECT_STREQ(path.text(), "/dev/evl/monitor/lock");
  EXPECT_EQ(path.set("monitor", std::string(PATH_MAX, 'x').c_str()), -ENAMETOOLONG);
}

}  // namespace
