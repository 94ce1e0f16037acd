// SPDX-License-Identifier: MIT
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sstream>

namespace target {
namespace {

constexpr size_t kStackBytes = 128 * 1024;  // Locked, so not more than it takes.
constexpr long kLimitS = 60;
constexpr useconds_t kRestUs = 500;
constexpr long kNsPerS = 1'000'000'000;

std::atomic<unsigned> reported{};
long long user_gravity_ns{};  // Set before any test runs, since reading it takes a thread in-band.

class InitializedProcess final : public ::testing::Environment {
  void SetUp() override {
    ASSERT_EQ(evl_init(), 0);
    const std::string gravity = contents("/sys/class/clock/monotonic/gravity");
    ASSERT_EQ(sscanf(gravity.c_str(), "%*di %*dk %lldu", &user_gravity_ns), 1) << gravity;
  }
};

void on_report(int, siginfo_t* info, void*) {
  if (sigdebug_marked(info)) reported.fetch_or(1U << static_cast<unsigned>(sigdebug_cause(info)));
}

bool past(const timespec& limit) {
  return !earlier(now(), limit);
}

timespec limit() {
  timespec date = now();
  date.tv_sec += kLimitS;
  return date;
}

}  // namespace

Thread::Thread(const How& how, std::function<void()> body) : how_{how}, body_{std::move(body)} {
  if (how_.name.empty()) how_.name = unique_name("t");
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  EXPECT_EQ(pthread_create(&thread_, &attributes, start, this), 0);
  pthread_attr_destroy(&attributes);
  EXPECT_TRUE(until([this] { return attached_ != 0; })) << how_.name;
  EXPECT_GT(attached_, 0) << how_.name << " cannot attach: " << strerror(-attached_);
}

void* Thread::start(void* self) {
  static_cast<Thread*>(self)->run();
  return nullptr;
}

void Thread::run() {
  tid_ = gettid();
  if (how_.cpu >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(how_.cpu, &set);
    EXPECT_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
  }
  const sched_param parameters{.sched_priority = how_.priority};
  EXPECT_EQ(sched_setscheduler(0, how_.policy, &parameters), 0) << strerror(errno);
  const int efd = evl_attach_thread(how_.flags, "%s", how_.name.c_str());
  efd_ = efd;
  attached_ = efd < 0 ? efd : 1;
  if (efd < 0) return;
  body_();
  ended_ = true;
  if (evl_get_self() < 0) return;
  EXPECT_EQ(evl_detach_self(), 0);
}

void Thread::join() {
  if (joined_) return;
  joined_ = true;
  EXPECT_EQ(pthread_join(thread_, nullptr), 0);
}

evl_thread_state Thread::state() const {
  return state_of(efd_);
}

bool Thread::reaches(unsigned bits) const {
  bool there = false;
  return until([&] {
           there = (state().state & bits) == bits;
           return there || ended_;
         }) &&
         there;
}

void attached(const How& how, const std::function<void()>& body) {
  Thread{how, body}.join();
}

bool until(const std::function<bool()>& condition) {
  const timespec end = limit();
  while (!condition()) {
    if (past(end)) return condition();
    usleep(kRestUs);
  }
  return true;
}

bool oob_until(const std::function<bool()>& condition) {
  const timespec end = limit();
  while (!condition()) {
    if (past(end)) return condition();
    evl_usleep(kRestUs);
  }
  return true;
}

void oob_await(const std::atomic<bool>& flag) {
  const timespec end = limit();
  while (!flag) {
    ASSERT_FALSE(past(end)) << "nobody set the flag";
    evl_usleep(kRestUs);
  }
}

std::string unique_name(const char* stem) {
  static std::atomic<unsigned> last{};
  return std::string{stem} + ":" + std::to_string(getpid()) + ":" + std::to_string(++last);
}

int cpus() {
  return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
}

bool has_watchdog() {
  return exists("/sys/module/evl/parameters/watchdog_timeout");
}

evl_thread_state state_of(int efd) {
  evl_thread_state state{};
  evl_get_state(efd, &state);
  return state;
}

timespec now(int clock) {
  timespec date{};
  clock_gettime(-clock, &date);  // vDSO: no system call on any stage.
  return date;
}

timespec after_ms(long ms, int clock) {
  timespec date = now(clock);
  date.tv_sec += ms / 1000;
  date.tv_nsec += ms % 1000 * 1'000'000;
  if (date.tv_nsec >= kNsPerS) {
    date.tv_nsec -= kNsPerS;
    ++date.tv_sec;
  }
  return date;
}

timespec far_away() {
  return after_ms(3'600'000);
}

bool earlier(const timespec& left, const timespec& right) {
  return left.tv_sec != right.tv_sec ? left.tv_sec < right.tv_sec : left.tv_nsec < right.tv_nsec;
}

bool too_early(const timespec& date, int clock) {
  return too_early(date, now(clock));
}

bool too_early(const timespec& date, const timespec& at) {
  const long long left = (date.tv_sec - at.tv_sec) * kNsPerS + date.tv_nsec - at.tv_nsec;
  return left > user_gravity_ns;
}

std::string contents(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string all;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(fd, buffer, sizeof(buffer))) > 0;)
    all.append(buffer, static_cast<size_t>(got));
  close(fd);
  while (!all.empty() && all.back() == '\n') all.pop_back();
  return all;
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream{text};
  std::vector<std::string> found;
  for (std::string word; stream >> word;) found.push_back(word);
  return found;
}

int store(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  const ssize_t done = write(fd, text.data(), text.size());
  const int status = done < 0 ? -errno : 0;
  close(fd);
  return status;
}

bool exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

std::vector<std::string> entries(const std::string& folder) {
  std::vector<std::string> found;
  DIR* const opened = opendir(folder.c_str());
  if (opened == nullptr) return found;
  while (const dirent* entry = readdir(opened))
    if (entry->d_name[0] != '.') found.emplace_back(entry->d_name);
  closedir(opened);
  return found;
}

Reports::Reports() {
  struct sigaction action {};
  action.sa_sigaction = on_report;
  action.sa_flags = SA_SIGINFO;
  EXPECT_EQ(sigaction(SIGDEBUG, &action, &before_), 0);
  reported = 0;
}

Reports::~Reports() {
  sigaction(SIGDEBUG, &before_, nullptr);
}

unsigned Reports::take() {
  return reported.exchange(0);
}

unsigned Reports::seen() {
  return reported;
}

::testing::Environment* use_core() {
  return ::testing::AddGlobalTestEnvironment(new InitializedProcess);
}

int oob_request(int fd, unsigned long request, const void* argument) {
  return oob_ioctl(fd, request, argument) < 0 ? -errno : 0;
}

int inband_request(int fd, unsigned long request, const void* argument) {
  return ioctl(fd, request, argument) < 0 ? -errno : 0;
}

}  // namespace target
