package broker_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// watched is a broker whose log can be read.
func watched(t *testing.T) (*broker.Broker, *lines) {
	log := &lines{}
	logger := slog.New(slog.NewTextHandler(log, nil))
	return start(t, broker.Config{Addr: "127.0.0.1:0", Logger: logger, MaxRequestBytes: 1 << 20}), log
}

type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestStrangersAreToldApartAndShutOut(t *testing.T) {
	b, log := watched(t)
	for want, sent := range map[string][]byte{
		"an HTTP request came":              []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"a TLS request came":                {0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03},
		"a request of 4294967295 bytes":     bytes.Repeat([]byte{0xff}, 16),
		"a request of 1048577 bytes":        frame(1<<20+1, 3, 9),
		"a request of 4 bytes":              frame(4, 3, 9),
		"the unknown API key 999":           frame(64, 999, 0),
		"the unknown API key -1":            frame(64, -1, 0),
		"a Metadata request of version 900": frame(64, 3, 900),
		"a Produce request of version -3":   frame(64, 0, -3),
	} {
		if !endsAfter(t, b, sent) {
			t.Errorf("%s: the connection was not closed", want)
		}
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, log)
		}
	}
	stillServes(t, b)
}

// TestRandomBytesHarmNobody throws requests of every key with bodies of noise at
// the broker: it goes on serving others.
func TestRandomBytesHarmNobody(t *testing.T) {
	random := testenv.Rand(t)
	b, _ := watched(t)
	for round := range 1500 {
		key := int16(round % (kmsg.MaxKey + 2))
		body := make([]byte, random.IntN(200))
		for i := range body {
			body[i] = byte(random.IntN(256)) & byte(random.IntN(256)) // mostly small numbers
		}
		conn := dial(t, b)
		conn.Write(append(frame(8+len(body), key, int16(random.IntN(18))), body...))
		if round%10 == 0 {
			conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			io.Copy(io.Discard, io.LimitReader(conn, 4096))
		}
		conn.Close()
	}
	stillServes(t, b)
}

func TestAPIVersionsFromTheFutureIsAnswered(t *testing.T) {
	b, _ := watched(t)
	conn := dial(t, b)
	defer conn.Close()
	// Version 6, correlation id 7, client id "x", no tags, software name and
	// version, no cluster, no node, no tags: as version 5.
	body := []byte{0, 0, 0, 7, 0, 1, 'x', 0, 2, 'a', 2, '1', 0, 0xff, 0xff, 0xff, 0xff, 0}
	conn.Write(append(frame(4+len(body), 18, 6)[:8], body...))
	conn.SetReadDeadline(time.Now().Add(time.Minute))
	answer := make([]byte, 10)
	if _, err := io.ReadFull(conn, answer); err != nil {
		t.Fatal(err)
	}
	if code := binary.BigEndian.Uint16(answer[8:]); code != 35 {
		t.Errorf("error code %d, want 35 (UNSUPPORTED_VERSION)", code)
	}
}

// frame is the beginning of a request that says it has size bytes, with a
// correlation id.
func frame(size int, key, version int16) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(size))
	out = binary.BigEndian.AppendUint16(out, uint16(key))
	out = binary.BigEndian.AppendUint16(out, uint16(version))
	return append(out, 0, 0, 0, 1)
}

func dial(t *testing.T, b *broker.Broker) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// endsAfter says whether the broker closes the connection after those bytes.
func endsAfter(t *testing.T, b *broker.Broker, sent []byte) bool {
	t.Helper()
	conn := dial(t, b)
	defer conn.Close()
	conn.Write(sent)
	conn.SetReadDeadline(time.Now().Add(time.Minute))
	_, err := io.Copy(io.Discard, conn)
	timeout, ok := err.(net.Error)
	return !ok || !timeout.Timeout()
}

func stillServes(t *testing.T, b *broker.Broker) {
	t.Helper()
	produce(t, b, "after", "x")
	if got := consume(t, b, "after", 1); got != "x" {
		t.Errorf("got %s", got)
	}
}
