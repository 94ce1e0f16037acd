// SPDX-License-Identifier: MIT
// Printing from both stages through the proxies of the standard streams, and the handler that names
// a report.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

using namespace target;

namespace {

// What a process says on a stream while a body runs in it: its streams are ours before it
// initializes.
std::string said(int stream, const std::function<void()>& body, size_t at_least) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    if (dup2(ends[1], stream) < 0 || evl_init() != 0) _exit(1);
    close(ends[0]);
    close(ends[1]);
    body();
    // The worker's turn: pause until we are told that everything arrived.
    pause();
    _exit(0);
  }
  close(ends[1]);
  std::string all;
  char buffer[256];
  while (all.size() < at_least) {
    const ssize_t got = read(ends[0], buffer, sizeof(buffer));
    if (got <= 0) break;
    all.append(buffer, static_cast<size_t>(got));
  }
  close(ends[0]);
  EXPECT_EQ(kill(pid, SIGKILL), 0);
  int status = -1;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFSIGNALED(status)) << status;
  return all;
}

}  // namespace

TEST(Printf, KeepsTheOrderOfBothStages) {
  const std::string text = said(
      STDOUT_FILENO,
      [] {
        evl_printf("in-band %d\n", 1);
        attached([] {
          for (int n = 2; n < 5; ++n) evl_printf("oob %d %s\n", n, "text");
        });
        evl_printf("in-band %d\n", 5);
      },
      52);
  EXPECT_EQ(text, "in-band 1\noob 2 text\noob 3 text\noob 4 text\nin-band 5\n");
}

TEST(Printf, ToStandardErrorToo) {
  EXPECT_EQ(said(
                STDERR_FILENO, [] { attached([] { evl_eprintf("%c%5d%%", 'x', -12); }); }, 7),
            "x  -12%");
}

TEST(Printf, DoesNotSwitchAndTellsTheLength) {
  EXPECT_EQ(said(
                STDOUT_FILENO,
                [] {
                  ssize_t length = 0;
                  unsigned switches = 1;
                  attached([&] {
                    const unsigned before = state_of(evl_get_self()).isw;
                    length = evl_printf("%s", "12345");
                    switches = state_of(evl_get_self()).isw - before;
                  });
                  evl_printf("%d %u", static_cast<int>(length), switches);
                },
                8),
            "123455 0");
}

TEST(Printf, LongLineIsCutAndSaysSo) {
  const std::string text = said(
      STDOUT_FILENO,
      [] {
        const std::string longest(3000, 'l');
        ssize_t length = 0;
        attached([&] { length = evl_printf("%s", longest.c_str()); });
        evl_printf("%d", static_cast<int>(length));
      },
      1027);
  EXPECT_EQ(text, std::string(1023, 'l') + "1023");
}

TEST(Printf, LeavesErrnoAlone) {
  ASSERT_EQ(evl_init(), 0);
  errno = ENOTDIR;
  EXPECT_EQ(evl_print_proxy(evl_stderr(), "%s", ""), 0);
  EXPECT_EQ(errno, ENOTDIR);
}

TEST(Handler, NamesTheCause) {
  const std::string text = said(
      STDOUT_FILENO,
      [] {
        struct sigaction action {};
        action.sa_sigaction = evl_sigdebug_handler;
        action.sa_flags = SA_SIGINFO;
        sigaction(SIGDEBUG, &action, nullptr);
        attached([] {
          evl_set_thread_mode(evl_get_self(), EVL_T_WOSS, nullptr);
          (void)getppid();
          evl_clear_thread_mode(evl_get_self(), EVL_T_WOSS, nullptr);
        });
        raise(SIGDEBUG);  // Not the core's: nothing is said.
        evl_printf("end\n");
      },
      5);
  EXPECT_NE(text.find('\n'), std::string::npos) << text;
  EXPECT_NE(text.find("a system call was made"), std::string::npos) << text;
}
