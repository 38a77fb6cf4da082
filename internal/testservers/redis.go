package testservers

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// StartRedis starts a Redis in a temporary folder that Close removes, with an
// append-only file, so that what it acknowledged survives SIGKILL. arguments are
// further ones of the command line, such as "--maxmemory", "64mb". ctx bounds the
// start only.
func StartRedis(ctx context.Context, arguments ...string) (*Server, error) {
	program, err := FindRedis()
	if err != nil {
		return nil, err
	}
	return startFirst(ctx, func() (*Server, error) {
		f, err := makeFolder("", "redis", nil)
		if err != nil {
			return nil, fmt.Errorf("prepare a folder for Redis: %w", err)
		}
		port, err := freePort()
		if err != nil {
			_ = f.remove()
			return nil, err
		}
		return (&redis{program, f, localAddr(port), arguments}).server(port), nil
	})
}

type redis struct {
	path      string
	folder    folder
	addr      string
	arguments []string
}

func (r *redis) server(port int) *Server {
	r.arguments = append([]string{"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", r.folder.path,
		"--save", "", "--appendonly", "yes", "--appendfsync", "everysec"}, r.arguments...)
	return &Server{
		Name: RedisName(r.path), Addr: r.addr, URL: "redis://" + r.addr, LogFile: r.folder.file("redis.log"),
		folder:  r.folder,
		program: program{start: r.start, ready: r.ready, orderly: syscall.SIGTERM, quick: syscall.SIGKILL},
	}
}

func (r *redis) start() (*process, error) {
	cmd := exec.Command(r.path, r.arguments...)
	cmd.Dir = r.folder.path
	closeLog, err := logTo(cmd, r.folder.file("redis.log"))
	if err != nil {
		return nil, err
	}
	defer closeLog()
	return startProcess(cmd, syscall.SIGKILL)
}

// ready asks it: while it loads its file it answers with an error.
func (r *redis) ready(*process, int64) bool {
	conn, err := net.DialTimeout("tcp", r.addr, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	answer := make([]byte, 16)
	n, _ := conn.Read(answer)
	return strings.HasPrefix(string(answer[:n]), "+PONG")
}
