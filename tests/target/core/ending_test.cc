// SPDX-License-Identifier: MIT
// Ends of threads and processes in any state, forks and execs: who is left goes on, and no element
// stays behind.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <thread>

#include "support.h"

using namespace target;

namespace {

const auto* const kCore = use_core();

constexpr int kChildFailed = 99;

// Of the classes that processes make elements of.
int elements() {
  int count = 0;
  for (const char* name : {"thread", "monitor", "xbuf", "proxy"})
    for (const std::string& entry : entries(std::string{"/sys/devices/virtual/"} + name))
      if (exists(std::string{"/sys/devices/virtual/"} + name + "/" + entry + "/uevent")) ++count;
  return count;
}

// A process of its own, from a fork of this one. The body ends by its result, which is the exit
// status.
class Child final {
 public:
  explicit Child(const std::function<int(int ready)>& body) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    pid_ = fork();
    if (pid_ == 0) {
      close(ends[0]);
      _exit(body(ends[1]));
    }
    close(ends[1]);
    ready_ = ends[0];
  }
  ~Child() {
    close(ready_);
    if (pid_ > 0) (void)wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Until the child has written a byte.
  [[nodiscard]] bool ready() const {
    char byte = 0;
    return read(ready_, &byte, 1) == 1;
  }
  void kill(int number) const { EXPECT_EQ(::kill(pid_, number), 0); }
  int wait() {
    int status = -1;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    pid_ = 0;
    return status;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_{};
  int ready_{-1};
};

void say_ready(int fd) {
  const char byte = 1;
  if (write(fd, &byte, 1) != 1) _exit(kChildFailed);
}

bool exited(int status, int code) {
  return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

struct Shared {
  evl_mutex mutex{};
  evl_mutex other{};
  evl_event event{};
  std::atomic<bool> started{false};
};

// A state in which a thread is when its process ends.
struct State {
  const char* name;
  int policy;
  void (*body)(Shared&);
  unsigned bits;  // Of EVL_T_*, when it is there; 0: as soon as it has started.
};

void sleep_for_long(Shared&) {
  const timespec date = far_away();
  while (true) (void)evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);
}

void wait_for_mutex(Shared& shared) {
  (void)evl_lock_mutex(&shared.mutex);
}

void own_and_sleep(Shared& shared) {
  (void)evl_lock_mutex(&shared.other);
  sleep_for_long(shared);
}

void own_and_wait(Shared& shared) {
  (void)evl_lock_mutex(&shared.other);
  (void)evl_lock_mutex(&shared.mutex);
}

void wait_for_event(Shared& shared) {
  (void)evl_lock_mutex(&shared.other);
  (void)evl_wait_event(&shared.event, &shared.other);
}

void wait_for_timer(Shared&) {
  const int timer = evl_new_timer(EVL_CLOCK_MONOTONIC);
  __u64 ticks = 0;
  (void)oob_read(timer, &ticks, sizeof(ticks));
}

// Nearly always out-of-band in user mode. Not always: Linux would never get its CPU back, and what
// it was doing there may be what everybody else waits for.
void spin(Shared& shared) {
  shared.started = true;
  while (true) {
    const timespec end = after_ms(2);
    while (earlier(now(), end)) {
    }
    (void)evl_usleep(1000);
  }
}

void rest_inband(Shared&) {
  while (true) pause();
}

void switch_stages(Shared& shared) {
  shared.started = true;
  while (true) {
    (void)evl_usleep(50);
    (void)getppid();
  }
}

const State kStates[] = {
    {"sleeps", SCHED_FIFO, sleep_for_long, EVL_T_DELAY},
    {"waits for a mutex", SCHED_FIFO, wait_for_mutex, EVL_T_PEND},
    {"owns a mutex and sleeps", SCHED_FIFO, own_and_sleep, EVL_T_DELAY},
    {"owns a mutex and waits for one", SCHED_FIFO, own_and_wait, EVL_T_PEND},
    {"waits for an event", SCHED_FIFO, wait_for_event, EVL_T_PEND},
    {"waits for a timer", SCHED_FIFO, wait_for_timer, EVL_T_PEND},
    {"runs out-of-band", SCHED_FIFO, spin, 0},
    {"is in-band", SCHED_FIFO, rest_inband, EVL_T_INBAND},
    {"switches all the time", SCHED_FIFO, switch_stages, 0},
    {"is weak and sleeps", SCHED_OTHER, sleep_for_long, EVL_T_DELAY},
    {"is weak, owns a mutex and sleeps", SCHED_OTHER, own_and_sleep, EVL_T_DELAY},
};

// The life of a child with a thread in that state. `main` says what its first thread does then.
int live(const State& state, int ready, int (*main)()) {
  if (evl_init() != 0) return kChildFailed;
  auto* const shared = new Shared;
  if (evl_new_mutex(&shared->mutex, nullptr) < 0 || evl_new_mutex(&shared->other, nullptr) < 0)
    return kChildFailed;
  if (evl_new_event(&shared->event, nullptr) < 0) return kChildFailed;
  auto* const owner = new Thread{{.priority = 5}, [shared] {
                                   (void)evl_lock_mutex(&shared->mutex);
                                   shared->started = true;
                                   sleep_for_long(*shared);
                                 }};
  if (!owner->sleeps() || !until([&] { return shared->started.load(); })) return kChildFailed;
  shared->started = false;
  const int priority = state.policy == SCHED_OTHER ? 0 : 5;
  auto* const thread = new Thread{{.policy = state.policy, .priority = priority, .cpu = cpus() - 1},
                                  [&state, shared] { state.body(*shared); }};
  if (state.bits != 0 ? !thread->reaches(state.bits)
                      : !until([&] { return shared->started.load(); }))
    return kChildFailed;
  say_ready(ready);
  return main();
}

int rest() {
  while (true) pause();
}

int end_at_once() {
  return 7;
}

int become_another_program() {
  execl("/bin/sh", "sh", "-c", "exit 8", nullptr);
  return kChildFailed;
}

class Ending : public ::testing::TestWithParam<State> {
 protected:
  void SetUp() override { before_ = elements(); }
  void TearDown() override {
    EXPECT_TRUE(until([this] { return elements() == before_; }))
        << elements() << " elements, there were " << before_;
  }
  int before_{};
};

INSTANTIATE_TEST_SUITE_P(InState, Ending, ::testing::ValuesIn(kStates), [](const auto& info) {
  std::string name = info.param.name;
  for (char& c : name)
    if (!isalnum(c)) c = '_';
  return name;
});

}  // namespace

TEST_P(Ending, ByKill) {
  Child child{[](int ready) { return live(GetParam(), ready, rest); }};
  ASSERT_TRUE(child.ready());
  child.kill(SIGKILL);
  const int status = child.wait();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
}

TEST_P(Ending, ByExit) {
  Child child{[](int ready) { return live(GetParam(), ready, end_at_once); }};
  ASSERT_TRUE(child.ready());
  EXPECT_TRUE(exited(child.wait(), 7));
}

TEST_P(Ending, ByExec) {
  Child child{[](int ready) { return live(GetParam(), ready, become_another_program); }};
  ASSERT_TRUE(child.ready());
  EXPECT_TRUE(exited(child.wait(), 8));
}

TEST_P(Ending, ByStopAndKill) {
  Child child{[](int ready) { return live(GetParam(), ready, rest); }};
  ASSERT_TRUE(child.ready());
  child.kill(SIGSTOP);
  int status = 0;
  EXPECT_EQ(waitpid(child.pid(), &status, WUNTRACED), child.pid());
  EXPECT_TRUE(WIFSTOPPED(status)) << status;
  child.kill(SIGKILL);
  status = child.wait();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
}

TEST(Fork, ChildOfAThreadIsNotAttachedAndCanBe) {
  attached([] {
    const int status = fork();
    if (status == 0) {
      if (!evl_is_inband() || evl_get_self() >= 0) _exit(1);
      if (evl_usleep(1) != -EPERM) _exit(2);
      if (evl_attach_self("%s", unique_name("child").c_str()) < 0) _exit(3);
      if (evl_is_inband() || evl_usleep(100) != 0) _exit(4);
      _exit(evl_detach_self() == 0 ? 7 : 5);
    }
    ASSERT_GT(status, 0);
    EXPECT_EQ(evl_usleep(100), 0);
    EXPECT_FALSE(evl_is_inband());
    int ended = 0;
    EXPECT_EQ(waitpid(status, &ended, 0), status);
    EXPECT_TRUE(exited(ended, 7)) << ended;
  });
}

TEST(Exec, ByAThreadThatIsOutOfBand) {
  const int before = elements();
  Child child{[](int) {
    Thread thread{{}, [] {
                    if (evl_usleep(100) == 0) execl("/bin/sh", "sh", "-c", "exit 8", nullptr);
                  }};
    thread.join();
    return kChildFailed;
  }};
  EXPECT_TRUE(exited(child.wait(), 8));
  EXPECT_TRUE(until([=] { return elements() == before; }));
}

// The descriptor is the process's, and outlives the thread: as long as it is open, the name is
// taken.
TEST(ThreadEnd, WithoutDetaching) {
  const std::string name = unique_name("ends");
  for (int n = 0; n < 10; ++n) {
    int efd = -1;
    std::thread thread{[&] { efd = evl_attach_self("%s", name.c_str()); }};
    thread.join();
    ASSERT_GE(efd, 0) << n;
    evl_thread_state state{};
    ASSERT_TRUE(until([&] {
      return evl_get_state(efd, &state) == -ESTALE;
    }));  // Joined a moment before the task is gone.
    ASSERT_EQ(evl_attach_self("%s", name.c_str()), -EEXIST);
    ASSERT_EQ(close(efd), 0);
    ASSERT_TRUE(until([&] { return !exists("/sys/devices/virtual/thread/" + name); }));
  }
}

TEST(ThreadEnd, Cancelled) {
  evl_mutex mutex{};
  evl_event event{};
  ASSERT_GE(evl_new_mutex(&mutex, nullptr), 0);
  ASSERT_GE(evl_new_event(&event, nullptr), 0);
  struct Where {
    int efd{-1};
    evl_mutex* mutex;
    evl_event* event;
    bool waits_for_event;
  };
  for (const bool waits_for_event : {false, true}) {
    Where where{.mutex = &mutex, .event = &event, .waits_for_event = waits_for_event};
    pthread_t thread{};
    ASSERT_EQ(pthread_create(
                  &thread, nullptr,
                  [](void* argument) -> void* {
                    auto& at = *static_cast<Where*>(argument);
                    const sched_param parameters{.sched_priority = 10};
                    sched_setscheduler(0, SCHED_FIFO, &parameters);
                    std::atomic_ref{at.efd}.store(evl_attach_self(nullptr));
                    if (at.waits_for_event) {
                      (void)evl_lock_mutex(at.mutex);
                      pthread_cleanup_push(
                          [](void* held) { (void)evl_unlock_mutex(static_cast<evl_mutex*>(held)); },
                          at.mutex);
                      (void)evl_wait_event(at.event, at.mutex);
                      pthread_cleanup_pop(1);
                    }
                    const timespec date = far_away();
                    (void)evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);
                    return nullptr;
                  },
                  &where),
              0);
    const unsigned bits = waits_for_event ? EVL_T_PEND : EVL_T_DELAY;
    ASSERT_TRUE(until([&] { return where.efd >= 0 && (state_of(where.efd).state & bits) != 0; }));
    EXPECT_EQ(pthread_cancel(thread), 0);
    void* result = nullptr;
    EXPECT_EQ(pthread_join(thread, &result), 0);
    EXPECT_EQ(result, PTHREAD_CANCELED);
    EXPECT_EQ(close(where.efd), 0);
    // Its cleanup has given the mutex back.
    attached([&] {
      EXPECT_EQ(evl_trylock_mutex(&mutex), 0);
      EXPECT_EQ(evl_unlock_mutex(&mutex), 0);
    });
  }
  EXPECT_EQ(evl_close_event(&event), 0);
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
}

// The mutex outlives the process that owned it, since another one has it open.
TEST(Process, ThatOwnedAPublicMutexIsKilled) {
  const std::string name = unique_name("public");
  evl_mutex mutex{};
  ASSERT_GE(evl_new_mutex(&mutex, "/%s", name.c_str()), 0);
  Child child{[&](int ready) {
    evl_mutex opened{};
    if (evl_init() != 0 || evl_open_mutex(&opened, "%s", name.c_str()) != 0) return kChildFailed;
    auto* const owner = new Thread{{.priority = 5}, [&] {
                                     (void)evl_lock_mutex(&opened);
                                     const timespec date = far_away();
                                     (void)evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);
                                   }};
    if (!owner->sleeps()) return kChildFailed;
    say_ready(ready);
    return rest();
  }};
  ASSERT_TRUE(child.ready());
  Thread waiter{{.priority = 20}, [&] {
                  EXPECT_EQ(evl_lock_mutex(&mutex), 0);
                  EXPECT_EQ(evl_unlock_mutex(&mutex), 0);
                }};
  ASSERT_TRUE(waiter.waits());
  child.kill(SIGKILL);
  (void)child.wait();
  waiter.join();
  EXPECT_EQ(evl_close_mutex(&mutex), 0);
}
