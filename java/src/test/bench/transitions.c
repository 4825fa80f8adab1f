/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transitions.c - which endpoint connections reach, and since when.
 *
 *   transitions serve LETTER PORT            answers each connection with the letter, and closes it
 *   transitions watch ADDRESS PORT PACE PATIENCE
 *
 * The second connects again and again, PACE microseconds apart, and gives each connection PATIENCE
 * milliseconds.
 *
 * It prints a line when a connection has another outcome than the one before it:
 *
 *   BEGIN END OUTCOME ATTEMPTS
 *
 * BEGIN and END of that connection are in nanoseconds of CLOCK_MONOTONIC; OUTCOME is a letter or the
 * name of an error; ATTEMPTS is how many connections there were, this one included. At SIGTERM it
 * prints "total ATTEMPTS FAILURES" and ends.
 *
 * Connections are reset when they are done with, so that no port waits for its turn.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int patience_ms;
static volatile sig_atomic_t over;

static void stop(int number)
{
	(void)number;
	over = 1;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static long long now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static int serve(char letter, int port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(listener, (struct sockaddr *)&any, sizeof(any)) || listen(listener, 1024))
		die("listen");
	puts("ready");
	fflush(stdout);
	while (!over) {
		int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (peer < 0)
			continue;
		if (send(peer, &letter, 1, MSG_NOSIGNAL) < 0 && errno != EPIPE &&
		    errno != ECONNRESET)
			perror("send");
		close(peer);
	}
	return 0;
}

static bool wait_for(int fd, short events)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};
	int ready;

	do {
		ready = poll(&poll_fd, 1, patience_ms);
	} while (ready < 0 && errno == EINTR);
	if (!ready)
		errno = ETIMEDOUT;
	return ready > 0;
}

/* What the server said, or NULL and errno. */
static const char *exchange(const struct sockaddr *to, socklen_t length, char said[2])
{
	struct linger reset = {.l_onoff = 1};
	const char *outcome = NULL;
	int error = 0;
	socklen_t size = sizeof(error);
	int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return NULL;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (!connect(fd, to, length) || (errno == EINPROGRESS && wait_for(fd, POLLOUT))) {
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
		errno = error;
		if (!error && wait_for(fd, POLLIN)) {
			ssize_t got = recv(fd, said, 1, 0);

			if (got == 1) {
				said[1] = 0;
				outcome = said;
			} else if (!got) {
				errno = ENODATA;
			}
		}
	}
	error = errno;
	close(fd);
	errno = error;
	return outcome;
}

static int watch(const char *address, int port, long pace_us)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
	char last[32] = "";
	long attempts = 0, failures = 0;
	long long due;

	if (!is_v4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1) {
		fprintf(stderr, "not an address: %s\n", address);
		return 2;
	}
	prctl(PR_SET_TIMERSLACK, 1000);
	due = now();
	while (!over) {
		long long begin = now(), end;
		char said[2];
		const char *outcome =
			exchange(is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
				 is_v4 ? sizeof(v4) : sizeof(v6), said);

		end = now();
		attempts++;
		if (!outcome) {
			failures++;
			outcome = strerrorname_np(errno);
		}
		if (strcmp(outcome, last)) {
			snprintf(last, sizeof(last), "%s", outcome);
			printf("%lld %lld %s %ld\n", begin, end, outcome, attempts);
			fflush(stdout);
		}
		due += pace_us * 1000;
		if (due < end) {
			due = end;
		} else {
			struct timespec at = {.tv_sec = due / 1000000000,
					      .tv_nsec = due % 1000000000};

			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		}
	}
	printf("total %ld %ld\n", attempts, failures);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = stop};

	sigaction(SIGTERM, &action, NULL);
	if (argc == 4 && !strcmp(argv[1], "serve"))
		return serve(argv[2][0], atoi(argv[3]));
	if (argc == 6 && !strcmp(argv[1], "watch")) {
		patience_ms = atoi(argv[5]);
		return watch(argv[2], atoi(argv[3]), atol(argv[4]));
	}
	fprintf(stderr, "usage: transitions serve LETTER PORT | watch ADDRESS PORT PACE PATIENCE\n");
	return 2;
}
