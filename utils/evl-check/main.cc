// SPDX-License-Identifier: MIT
// evl check: is this kernel, and this system, fit for low latency?

#include <evl/evl.h>
#include <fcntl.h>
#include <getopt.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "common/files.h"
#include "common/json.h"
#include "common/system.h"
#include "common/text.h"
#include "evl-check/kconfig.h"
#include "evl-check/runtime.h"

namespace {

using namespace utils;

constexpr const char* kRunningConfig = "/proc/config.gz";

struct Options {
  std::string config{kRunningConfig};
  std::string list;
  std::string arch;
  bool quiet{false};
  bool json{false};
  bool runtime{true};
  bool configuration{true};
};

void print_usage(FILE* where) {
  fputs(
      "usage: evl check [OPTIONS]\n"
      "  -f, --file=CONFIG      kernel configuration, .gz too, '-' is stdin [/proc/config.gz];\n"
      "                         with a file, the running system is not looked at\n"
      "  -L, --check-list=FILE  assertions [kconf-checklist.evl of this installation]\n"
      "  -a, --arch=CPU         architecture [that of the file]\n"
      "  -r, --runtime          look at the running system only\n"
      "  -k, --kconfig          look at the configuration only\n"
      "  -q, --quiet            exit status only\n"
      "  -H, --hash-size=N      accepted, and not needed\n"
      "      --json             one object on stdout\n"
      "  -h, --help             this text\n",
      where);
}

std::string read_stream(int fd) {
  std::string text;
  char piece[4096];
  ssize_t got = 0;
  while ((got = read(fd, piece, sizeof(piece))) > 0) text.append(piece, static_cast<size_t>(got));
  return text;
}

// Through gunzip, as zgrep does it: no library for one file.
bool read_compressed(const std::string& path, std::string* text) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  int ends[2];
  if (file < 0 || pipe2(ends, O_CLOEXEC) < 0) return false;
  const pid_t child = fork();
  if (child == 0) {
    dup2(file, STDIN_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    execlp("gunzip", "gunzip", "-c", nullptr);
    _exit(127);
  }
  close(ends[1]);
  close(file);
  if (child > 0) *text = read_stream(ends[0]);
  close(ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) < 0) return false;
  errno = ENOEXEC;
  return status == 0;
}

bool read_config(const std::string& path, std::string* text) {
  if (path == "-") {
    *text = read_stream(STDIN_FILENO);
    return true;
  }
  if (path.ends_with(".gz")) return read_compressed(path, text);
  auto found = read_file(path);
  if (found) *text = std::move(*found);
  return found.has_value();
}

// Zero: goes on; else the exit status, plus one.
int parse_options(int argc, char** argv, Options* options) {
  static const option kLong[] = {
      {"file", required_argument, nullptr, 'f'}, {"check-list", required_argument, nullptr, 'L'},
      {"arch", required_argument, nullptr, 'a'}, {"hash-size", required_argument, nullptr, 'H'},
      {"runtime", no_argument, nullptr, 'r'},    {"kconfig", no_argument, nullptr, 'k'},
      {"quiet", no_argument, nullptr, 'q'},      {"json", no_argument, nullptr, 'j'},
      {"help", no_argument, nullptr, 'h'},       {}};
  int letter = 0;
  while ((letter = getopt_long(argc, argv, "f:L:a:H:rkqh@", kLong, nullptr)) != -1) {
    switch (letter) {
      case 'f':
        options->config = optarg;
        options->runtime = false;
        break;
      case 'L':
        options->list = optarg;
        break;
      case 'a':
        options->arch = optarg;
        break;
      case 'H':
        break;
      case 'r':
        options->configuration = false;
        break;
      case 'k':
        options->runtime = false;
        break;
      case 'q':
        options->quiet = true;
        break;
      case 'j':
        options->json = true;
        break;
      case 'h':
        print_usage(stdout);
        return kDone + 1;
      case '@':
        puts("checks the kernel's configuration and the running system for latency");
        return kDone + 1;
      default:
        print_usage(stderr);
        return kWrongUse + 1;
    }
  }
  const bool nothing = !options->runtime && !options->configuration;
  if (optind == argc && !nothing) return 0;
  print_usage(stderr);
  return kWrongUse + 1;
}

std::string default_list() {
  const char* const folder = getenv("EVL_CMDDIR");
  return std::string{folder != nullptr ? folder : "."} + "/kconf-checklist.evl";
}

// Adds what fails to the report. Returns an exit status: kDone if it could look.
int check_configuration(const Options& options, RuntimeReport* report) {
  std::string text;
  if (!read_config(options.config, &text)) {
    const bool none = options.config == kRunningConfig && access(kRunningConfig, F_OK) != 0;
    fprintf(stderr, "evl check: cannot read %s: %s\n", options.config.c_str(), strerror(errno));
    if (none) fputs("Enable CONFIG_IKCONFIG_PROC, or name the file with -f.\n", stderr);
    return none ? kNoSupport : kFailed;
  }
  const std::string list_path = options.list.empty() ? default_list() : options.list;
  const auto list_text = read_file(list_path);
  if (!list_text) {
    fprintf(stderr, "evl check: cannot read the list %s: %s\n", list_path.c_str(), strerror(errno));
    return kFailed;
  }
  const CheckList list = CheckList::parse(*list_text);
  for (const int line : list.bad_lines) {
    fprintf(stderr, "evl check: %s:%d is no assertion\n", list_path.c_str(), line);
  }
  if (!list.bad_lines.empty()) return kWrongUse;

  const KernelConfig config = KernelConfig::parse(text);
  if (config.size() == 0) {
    fprintf(stderr, "evl check: %s sets nothing: is it a kernel's configuration?\n",
            options.config.c_str());
    return kFailed;
  }
  utsname system{};
  uname(&system);
  const std::string machine = machine_name(!options.arch.empty()    ? options.arch
                                           : !config.arch().empty() ? config.arch()
                                                                    : system.machine);
  for (const Assertion& assertion : list.assertions) {
    ++report->checked;
    if (assertion.holds(config, machine)) continue;
    const std::string& symbol = assertion.term.symbol;
    report->failed.push_back({symbol, std::string{config.value(symbol)}, ""});
  }
  return kDone;
}

void print_report(const RuntimeReport& report) {
  for (const Finding& finding : report.failed) {
    printf("%s=%s\n", finding.name.c_str(), finding.found.c_str());
    fflush(stdout);
    if (!finding.advice.empty()) fprintf(stderr, "    %s\n", finding.advice.c_str());
  }
  fprintf(stderr, "evl check: %d checks, %zu failed\n", report.checked, report.failed.size());
}

void print_json(const RuntimeReport& report) {
  JsonWriter json;
  json.begin_object().member("checked", report.checked).name("failed").begin_array();
  for (const Finding& finding : report.failed) {
    json.begin_object().member("name", finding.name).member("found", finding.found);
    json.member("advice", finding.advice).end_object();
  }
  json.end_array().end_object();
  puts(json.text().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (const int status = parse_options(argc, argv, &options); status != 0) return status - 1;

  RuntimeReport report;
  if (options.configuration) {
    if (const int status = check_configuration(options, &report); status != kDone) return status;
  }
  if (options.runtime) {
    const RuntimeReport runtime = check_runtime(System::from_environment(), EVL_ABI_PREREQ);
    report.checked += runtime.checked;
    report.failed.insert(report.failed.end(), runtime.failed.begin(), runtime.failed.end());
  }
  if (options.json) {
    print_json(report);
  } else if (!options.quiet) {
    print_report(report);
  }
  return report.failed.empty() ? kDone : kFailed;
}
