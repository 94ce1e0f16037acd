// SPDX-License-Identifier: MIT
// evl help: one line per command, each from the command itself (its option -@).

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "common/system.h"
#include "evl/plugins.h"

namespace {

using namespace utils;

// What `program -@` prints; empty if it fails or says nothing.
std::string describe(const std::string& program) {
  int ends[2];
  if (pipe(ends) < 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execl(program.c_str(), program.c_str(), "-@", nullptr);
    _exit(127);
  }
  close(ends[1]);
  std::string text;
  char piece[256];
  ssize_t got = 0;
  while (child > 0 && (got = read(ends[0], piece, sizeof(piece))) > 0) {
    text.append(piece, static_cast<size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0) return {};
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "-@") == 0) {
    puts("lists the commands");
    return kDone;
  }
  const char* const folder = getenv("EVL_CMDDIR");
  if (folder == nullptr || argc > 1) {
    fputs(folder == nullptr ? "evl-help: run it as 'evl help'\n" : "usage: evl help\n", stderr);
    return kWrongUse;
  }
  for (const std::string& command : list_plugins(folder)) {
    if (command == "help") continue;
    const std::string description = describe(std::string{folder} + "/evl-" + command);
    puts(help_line(command, description).c_str());
  }
  return kDone;
}
