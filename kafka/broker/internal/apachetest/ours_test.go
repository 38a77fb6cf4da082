package apachetest

import (
	"context"
	"net"
	"testing"

	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/pabal-dev/pabal/kafka/broker/internal/server"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
)

func startOurs(t testing.TB, change func(*server.Config)) string {
	t.Helper()
	n, err := node.Open(t.Context(), node.Options{
		FS: vfs.NewMemory(), Dir: "data", Durability: commit.Memory,
		Settings: map[string]string{"group.min.session.timeout.ms": "1000", "auto.create.topics.enable": "false"},
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	config := server.Config{Node: n, Host: "127.0.0.1", Port: int32(addr.Port)}
	if change != nil {
		change(&config)
	}
	s, err := server.New(config)
	if err != nil {
		t.Fatal(err)
	}
	w := wire.Serve(l, wire.Config{APIs: s.APIs(), Features: s.Features(), Handler: s, Authenticate: len(config.Passwords) > 0})
	t.Cleanup(func() {
		s.Stop()
		if err := w.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return addr.String()
}
