// SPDX-License-Identifier: MIT
// evl: runs the command evl-<command>, with an environment that tells it where things are.

#include <getopt.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "common/system.h"
#include "evl/plugins.h"

namespace {

using namespace utils;

void print_usage(FILE* where) {
  fputs(
      "usage: evl [OPTIONS] [COMMAND [ARGS...]]\n"
      "  -P, --prefix=DIR   the commands are in DIR/libexec/evl\n"
      "  -v, -V, --version  print the versions of the library and the ABI\n"
      "  -h, --help         this text, and the commands\n",
      where);
}

std::string own_path() {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  return length > 0 ? std::string(path, static_cast<size_t>(length)) : std::string{"./evl"};
}

// The caller's own settings stay: a user may have the core's attributes somewhere else.
void set_environment(const std::string& folder) {
  setenv("EVL_CMDDIR", folder.c_str(), 1);
  setenv("EVL_TESTDIR", (folder + "/tests").c_str(), 0);
  setenv("EVL_SYSDIR", "/sys/devices/virtual", 0);
  setenv("EVL_TRACEDIR", "/sys/kernel/debug/tracing", 0);
  const char* const path = getenv("PATH");
  setenv("PATH", path_with_plugins(path != nullptr ? path : "", folder).c_str(), 1);
}

int run_command(char* const* arguments) {
  const std::string program = std::string{"evl-"} + arguments[0];
  std::string name = program;
  char** const changed = const_cast<char**>(arguments);
  changed[0] = name.data();
  execvp(program.c_str(), changed);
  if (errno == ENOENT) {
    fprintf(stderr, "evl: there is no command '%s': 'evl help' lists them\n",
            program.c_str() + strlen("evl-"));
  } else {
    fprintf(stderr, "evl: %s does not start: %s\n", program.c_str(), strerror(errno));
  }
  return kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  static const option kLong[] = {{"prefix", required_argument, nullptr, 'P'},
                                 {"version", no_argument, nullptr, 'V'},
                                 {"help", no_argument, nullptr, 'h'},
                                 {}};
  std::string prefix;
  bool help = false;
  int letter = 0;
  // The plus: options behind the command are the command's.
  while ((letter = getopt_long(argc, argv, "+P:vVh", kLong, nullptr)) != -1) {
    switch (letter) {
      case 'P':
        prefix = optarg;
        break;
      case 'v':
      case 'V':
        puts(version_line().c_str());
        return kDone;
      case 'h':
        help = true;
        break;
      default:
        print_usage(stderr);
        return kWrongUse;
    }
  }
  set_environment(plugin_folder(own_path(), prefix));
  if (!help && optind < argc) return run_command(argv + optind);
  print_usage(stderr);
  fflush(stderr);
  char command[] = "help";
  char* const arguments[] = {command, nullptr};
  return run_command(arguments);
}
