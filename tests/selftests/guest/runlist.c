// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the tests of a list, one after the other, each in a session of its own with a time limit.
 * The guest's only program while it runs: what a test leaves behind is killed before the next one.
 *
 *	runlist LIST
 *
 * A line of LIST is NAME|FOLDER|SECONDS|COMMAND, the command for sh. For each test the output is
 *
 *	@@@ begin NAME
 *	(what the test wrote to stdout and stderr, the last OUTPUT_MAX bytes of it)
 *	@@@ end NAME SECONDS exit N | signal N | timeout | stuck
 *
 * A command that begins with "fixed " runs without address randomization.
 *
 * SECONDS is for the reader. `stuck`: it did not even die by SIGKILL. The status is 0 when each test of the list was run, whatever its
 * verdict: the host compares verdicts.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FIXED		"fixed "
#define OUTPUT_MAX	(256 * 1024)
#define KILL_GRACE_S	10.0
#define POLL_NS		2000000

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void pause_shortly(void)
{
	struct timespec ts = { 0, POLL_NS };

	nanosleep(&ts, NULL);
}

static void start(const char *folder, const char *command, int out)
{
	struct rlimit no_core = { 0, 0 };
	int in = open("/dev/null", O_RDONLY);

	setsid();
	setrlimit(RLIMIT_CORE, &no_core);
	dup2(in, 0);
	dup2(out, 1);
	dup2(out, 2);
	if (chdir(folder)) {
		dprintf(2, "runlist: %s: %s\n", folder, strerror(errno));
		_exit(126);
	}
	if (!strncmp(command, FIXED, strlen(FIXED))) {
		command += strlen(FIXED);
		personality(ADDR_NO_RANDOMIZE);
	}
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(126);
}

/* Everything but pid 1 and ourselves; the children of the dead come to us (subreaper). */
static int kill_all(void)
{
	double until = now() + KILL_GRACE_S;

	while (now() < until) {
		pid_t pid;

		kill(-1, SIGKILL);
		do {
			pid = waitpid(-1, NULL, WNOHANG);
		} while (pid > 0);
		if (pid < 0 && errno == ECHILD)
			return 0;
		pause_shortly();
	}
	return -1;
}

static void show(int out)
{
	off_t size = lseek(out, 0, SEEK_END);
	char buffer[65536];
	ssize_t got;

	lseek(out, size > OUTPUT_MAX ? size - OUTPUT_MAX : 0, SEEK_SET);
	fflush(stdout);
	while ((got = read(out, buffer, sizeof(buffer))) > 0)
		if (write(1, buffer, got) != got)
			exit(1);
}

static void run(const char *name, const char *folder, double limit_s, const char *command)
{
	const char *path = "/tmp/.runlist-output";
	double deadline, began, spent;
	int out, status = 0, late = 0, ended = 0;
	pid_t pid;

	unlink(path);
	out = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
	if (out < 0) {
		perror(path);
		exit(1);
	}
	printf("@@@ begin %s\n", name);
	fflush(stdout);
	began = now();
	deadline = began + limit_s;
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(1);
	}
	if (pid == 0)
		start(folder, command, out);
	while (!ended) {
		pid_t got = waitpid(-1, &status, WNOHANG);

		if (got == pid)
			ended = 1;
		else if (got > 0)
			continue; /* an orphan of the test */
		else if (now() >= deadline)
			late = ended = 1;
		else
			pause_shortly();
	}
	spent = now() - began;
	if (kill_all())
		late = 2;
	show(out);
	close(out);
	if (late)
		printf("\n@@@ end %s %.1f %s\n", name, spent, late == 2 ? "stuck" : "timeout");
	else if (WIFSIGNALED(status))
		printf("\n@@@ end %s %.1f signal %d\n", name, spent, WTERMSIG(status));
	else
		printf("\n@@@ end %s %.1f exit %d\n", name, spent, WEXITSTATUS(status));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[4096];
	FILE *list;

	if (argc != 2) {
		fprintf(stderr, "usage: runlist LIST\n");
		return 2;
	}
	list = fopen(argv[1], "r");
	if (!list) {
		perror(argv[1]);
		return 1;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (fgets(line, sizeof(line), list)) {
		char *name = strtok(line, "|\n"), *folder = strtok(NULL, "|\n");
		char *limit = strtok(NULL, "|\n"), *command = strtok(NULL, "\n");

		if (!name || name[0] == '#')
			continue;
		if (!command) {
			fprintf(stderr, "runlist: bad line for %s\n", name);
			return 1;
		}
		run(name, folder, atof(limit), command);
	}
	return 0;
}
