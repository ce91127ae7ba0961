/* A load generator: sends ready-made HTTP requests over keep-alive connections and times the answers.
 *
 *   load PORT CONNECTIONS WARM FILE
 *
 * FILE holds requests, each with its length in front (4 bytes, little-endian). Each request is sent once, in the
 * file's order, with one in flight per connection; the first WARM of them are not counted. Prints one JSON object:
 * the answers by status, the seconds from the first counted request to the last answer, the rate, and latency
 * percentiles. An unreadable answer or a closed connection is fatal: a figure with missing answers would be wrong.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER = 1 << 20, MOST_CONNECTIONS = 4096, MOST_STATUS = 600 };

struct connection {
    int socket;
    const char *left; /* the part of the request not sent yet */
    size_t left_size;
    size_t at; /* index of the request in flight */
    double began;
    char *answer;
    size_t answer_size;
};

static struct connection connections[MOST_CONNECTIONS];
static char **requests;
static uint32_t *sizes;
static double *latencies;
static size_t request_count, next_request, warm, answered;
static long statuses[MOST_STATUS];
static double first_counted;
static int poller;

static void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "unexpected answer");
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void read_requests(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) fail(path);
    size_t room = 0;
    unsigned char head[4];
    while (fread(head, 1, 4, file) == 4) {
        if (request_count == room) {
            room = room ? 2 * room : 1024;
            requests = realloc(requests, room * sizeof *requests);
            sizes = realloc(sizes, room * sizeof *sizes);
            if (requests == NULL || sizes == NULL) fail("memory");
        }
        uint32_t size = head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 24;
        char *request = malloc(size);
        if (request == NULL || fread(request, 1, size, file) != size) fail("the file of requests is cut off");
        requests[request_count] = request;
        sizes[request_count++] = size;
    }
    fclose(file);
}

static void send_some(struct connection *it) {
    while (it->left_size > 0) {
        ssize_t sent = send(it->socket, it->left, it->left_size, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (sent < 0) fail("send");
        it->left += sent;
        it->left_size -= (size_t)sent;
    }
}

static void begin(struct connection *it) {
    if (next_request == request_count) return;
    it->at = next_request++;
    it->left = requests[it->at];
    it->left_size = sizes[it->at];
    it->answer_size = 0;
    it->began = now();
    if (it->at == warm) first_counted = it->began;
    send_some(it);
}

/* Return the status of a complete answer, 0 while it is incomplete. */
static int status_of(struct connection *it) {
    it->answer[it->answer_size] = 0;
    char *end = strstr(it->answer, "\r\n\r\n");
    if (end == NULL) return 0;
    size_t body = 0;
    int found = 0;
    for (char *line = it->answer; line < end; line = strstr(line, "\r\n") + 2)
        if (strncasecmp(line, "content-length:", 15) == 0) {
            body = strtoul(line + 15, NULL, 10);
            found = 1;
        }
    errno = 0;
    if (!found) fail("an answer without content-length");
    if (it->answer_size < (size_t)(end + 4 - it->answer) + body) return 0;
    return atoi(it->answer + 9);
}

static void receive(struct connection *it) {
    for (;;) {
        ssize_t got = recv(it->socket, it->answer + it->answer_size, ANSWER - 1 - it->answer_size, 0);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (got <= 0) fail("the server ended a connection");
        it->answer_size += (size_t)got;
        int status = status_of(it);
        if (status == 0) {
            errno = 0;
            if (it->answer_size == ANSWER - 1) fail("too large an answer");
            continue;
        }
        if (status < 0 || status >= MOST_STATUS) fail("a strange status");
        answered++;
        if (it->at >= warm) {
            statuses[status]++;
            latencies[it->at - warm] = now() - it->began;
        }
        begin(it);
        return;
    }
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "load PORT CONNECTIONS WARM FILE\n");
        return 2;
    }
    size_t count = strtoul(argv[2], NULL, 10);
    warm = strtoul(argv[3], NULL, 10);
    read_requests(argv[4]);
    if (count == 0 || count > MOST_CONNECTIONS || warm >= request_count) fail("numbers out of range");
    latencies = calloc(request_count, sizeof *latencies);
    poller = epoll_create1(0);
    if (latencies == NULL || poller < 0) fail("epoll");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (size_t i = 0; i < count; i++) {
        struct connection *it = &connections[i];
        int one = 1;
        it->answer = malloc(ANSWER);
        it->socket = socket(AF_INET, SOCK_STREAM, 0);
        if (it->answer == NULL || it->socket < 0) fail("socket");
        if (connect(it->socket, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
        setsockopt(it->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = it};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, it->socket, &event) != 0) fail("epoll");
    }
    /* Connecting blocks, which is simple. From here on nothing blocks. */
    for (size_t i = 0; i < count; i++) {
        if (fcntl(connections[i].socket, F_SETFL, O_NONBLOCK) != 0) fail("fcntl");
        begin(&connections[i]);
    }
    struct epoll_event events[256];
    while (answered < request_count) {
        int ready = epoll_wait(poller, events, 256, 60000);
        if (ready == 0) errno = ETIMEDOUT;
        if (ready == 0 || (ready < 0 && errno != EINTR)) fail("epoll");
        for (int i = 0; i < ready; i++) {
            struct connection *it = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) send_some(it);
            if (events[i].events & ~(uint32_t)EPOLLOUT) receive(it);
        }
    }
    double seconds = now() - first_counted;
    size_t counted = request_count - warm;
    qsort(latencies, counted, sizeof *latencies, ascending);
    printf("{\"requests\": %zu, \"seconds\": %.6f, \"rate\": %.1f, ", counted, seconds, (double)counted / seconds);
    printf("\"p50_ms\": %.3f, \"p99_ms\": %.3f, ", 1e3 * latencies[counted / 2], 1e3 * latencies[counted * 99 / 100]);
    printf("\"max_ms\": %.3f, \"statuses\": {", 1e3 * latencies[counted - 1]);
    const char *comma = "";
    for (int status = 0; status < MOST_STATUS; status++)
        if (statuses[status] > 0) {
            printf("%s\"%d\": %ld", comma, status, statuses[status]);
            comma = ", ";
        }
    printf("}}\n");
    return 0;
}
