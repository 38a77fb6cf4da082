package wire_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// raw is a frame of a key and version with a body.
func raw(key, version int16, body ...byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+2+len(body)))
	b = binary.BigEndian.AppendUint16(b, uint16(key))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = append(b, 0, 0, 0, 9, 0xff, 0xff)
	return append(b, body...)
}

// TestRefused: each ends its own connection with a line in the log that says why, and
// the server serves on.
func TestRefused(t *testing.T) {
	w := start(t, answerEmpty, limits(func(l *wire.Limits) { l.RequestBytes, l.PlainBytes = 1<<20, 1<<16 }))
	other := w.dial()
	for name, one := range map[string]struct {
		sent []byte
		said string
	}{
		"HTTP":               {[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "an HTTP request came"},
		"TLS":                {[]byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0, 0}, "a TLS request came"},
		"SSH":                {[]byte("SSH-2.0-OpenSSH_9.6\r\n"), "an SSH request came"},
		"gigabytes":          {[]byte{0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 9}, "of 2147483647 bytes came"},
		"negative":           {[]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 9}, "of 4294967295 bytes came"},
		"nothing":            {[]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, "of 0 bytes came, which is no Kafka request"},
		"large for its kind": {binary.BigEndian.AppendUint32(nil, 1<<16+1), ""},
		"unknown key":        {raw(999, 0), "unknown API key 999"},
		"negative key":       {raw(-3, 0), "unknown API key -3"},
		"not served":         {raw(int16(kmsg.LeaderAndISR), 0), "LeaderAndISR request came, which this broker does not serve"},
		"unknown version":    {raw(int16(kmsg.Heartbeat), 9), "Heartbeat request of version 9 came, versions 0 to 4"},
		"negative version":   {raw(int16(kmsg.Heartbeat), -1), "Heartbeat request of version -1 came"},
		"malformed":          {raw(int16(kmsg.Heartbeat), 0, 0, 200, 1), "malformed Heartbeat request of version 0"},
		"array too long":     {raw(int16(kmsg.Metadata), 1, 0x7f, 0xff, 0xff, 0xff), "malformed Metadata"},
		"endless tags":       {raw(int16(kmsg.Heartbeat), 4, 0xff, 0xff, 0xff, 0xff, 0x0f), "malformed Heartbeat"},
		"malformed Produce":  {raw(int16(kmsg.Produce), 9, 0, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 7), "malformed Produce"},
	} {
		c := w.dial()
		if name == "large for its kind" {
			one.sent = append(one.sent, raw(int16(kmsg.Heartbeat), 0)[4:]...)
			one.said = "65537 bytes came, at most 65536"
		}
		c.write(one.sent)
		c.wantEnd()
		if !strings.Contains(w.log.String(), one.said) && w.Stats().Refused <= 10 {
			t.Errorf("%s: nothing said of %q:\n%s", name, one.said, w.log)
		}
		other.ask(heartbeat())
	}
	if w.Stats().Refused != 16 {
		t.Errorf("%d refused", w.Stats().Refused)
	}
}

// TestMoreThanARequest: what follows a request in its frame is passed over.
func TestMoreThanARequest(t *testing.T) {
	c := start(t, answerEmpty).dial()
	for _, req := range []kmsg.Request{heartbeat(), produceOf(1)} {
		sent := append(frame(7, req), 0)
		binary.BigEndian.PutUint32(sent, uint32(len(sent)-4))
		c.write(sent)
		if correlation, _, err := c.receive(); err != nil || correlation != 7 {
			t.Errorf("answer %d: %v", correlation, err)
		}
	}
}

// TestRefusalsSayWhy, one server each, for only some lines of a flood are written.
func TestRefusalsSayWhy(t *testing.T) {
	var now time.Time
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	w := start(t, answerEmpty, func(c *wire.Config) { c.Now = clock })
	for i := range 40 {
		c := w.dial()
		c.write(raw(int16(900+i), 0))
		c.wantEnd()
	}
	until(t, "all are refused", func() bool { return w.Stats().Refused == 40 })
	if n := strings.Count(w.log.String(), "unknown API key"); n != 10 {
		t.Errorf("%d lines of 40 refusals", n)
	}
	mu.Lock()
	now = now.Add(time.Hour)
	mu.Unlock()
	c := w.dial()
	c.write(raw(999, 0))
	c.wantEnd()
	w.wantLogged("more_like_it=30")
}

func TestVersions(t *testing.T) {
	features := []wire.Feature{{Name: "transaction.version", Min: 0, Max: 2, Level: 2}}
	w := start(t, answerEmpty, func(c *wire.Config) { c.Features = features })
	c := w.dial()
	for version := int16(0); version <= 4; version++ {
		req := kmsg.NewPtrApiVersionsRequest()
		req.Version, req.ClientSoftwareName, req.ClientSoftwareVersion = version, "a-client", "1.2.3"
		resp := c.ask(req).(*kmsg.ApiVersionsResponse)
		if resp.ErrorCode != 0 || len(resp.ApiKeys) != len(apis)+1 {
			t.Fatalf("version %d: %+v", version, resp)
		}
		for i, k := range resp.ApiKeys[:2] {
			least := apis[i].Min
			if k.ApiKey == int16(kmsg.Produce) {
				least = 0 // is told for older librdkafka, and not served
			}
			if k.ApiKey != apis[i].Key || k.MinVersion != least || k.MaxVersion != apis[i].Max {
				t.Errorf("version %d: %+v", version, k)
			}
		}
		if version < 3 {
			continue
		}
		if len(resp.FinalizedFeatures) != 1 || resp.FinalizedFeatures[0].MaxVersionLevel != 2 || resp.FinalizedFeaturesEpoch < 0 {
			t.Errorf("version %d: %+v", version, resp.FinalizedFeatures)
		}
		if told := len(resp.SupportedFeatures) == 1; told != (version >= 4) {
			t.Errorf("version %d: %+v", version, resp.SupportedFeatures)
		}
	}
}

// TestVersionsFromTheFuture are answered in version 0, with those of ApiVersions
// (KIP-511), and the connection goes on.
func TestVersionsFromTheFuture(t *testing.T) {
	w := start(t, answerEmpty)
	c := w.dial()
	for _, version := range []int16{5, 99, 0x7fff, -1} {
		c.write(raw(int16(kmsg.ApiVersions), version, 1, 2, 3))
		resp := kmsg.NewPtrApiVersionsResponse()
		c.want(9, resp)
		if resp.ErrorCode != 35 || len(resp.ApiKeys) != 1 || resp.ApiKeys[0].ApiKey != int16(kmsg.ApiVersions) || resp.ApiKeys[0].MaxVersion != 4 {
			t.Errorf("version %d: %+v", version, resp)
		}
	}
	c.ask(heartbeat())
}

func TestSoftwareIsToldToTheHandler(t *testing.T) {
	software := make(chan string, 1)
	w := start(t, func(_ context.Context, c *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
		software <- c.Software
		reply(req.ResponseKind())
	})
	c := w.dial()
	req := kmsg.NewPtrApiVersionsRequest()
	req.Version, req.ClientSoftwareName, req.ClientSoftwareVersion = 3, "apache-kafka-java", "4.1.0"
	c.ask(req)
	c.ask(heartbeat())
	if got := <-software; got != "apache-kafka-java 4.1.0" {
		t.Errorf("%q", got)
	}
	req.ClientSoftwareName = "no name\n"
	if resp := c.ask(req).(*kmsg.ApiVersionsResponse); resp.ErrorCode != 42 {
		t.Errorf("%+v", resp)
	}
}

// TestAPanicEndsItsConnection only.
func TestAPanicEndsItsConnection(t *testing.T) {
	w := start(t, func(_ context.Context, _ *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
		switch r := req.(type) {
		case *kmsg.HeartbeatRequest:
			if r.Generation == 13 {
				panic("thirteen")
			}
		case *kmsg.ProduceRequest:
			panic("produce")
		}
		reply(req.ResponseKind())
	})
	other := w.dial()
	bad := heartbeat()
	bad.Generation = 13
	for _, req := range []kmsg.Request{bad, produceOf(10)} {
		c := w.dial()
		c.send(req)
		c.wantEnd()
		other.ask(heartbeat())
	}
	w.wantLogged("panic=thirteen")
	w.wantLogged("panic=produce")
}

// FuzzFrames: whatever is sent, the connection ends or is answered, and the server
// serves on.
func FuzzFrames(f *testing.F) {
	for _, key := range []kmsg.Key{kmsg.Produce, kmsg.Fetch, kmsg.Metadata, kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat, kmsg.ApiVersions} {
		for version := range kmsg.RequestForKey(key.Int16()).MaxVersion() + 1 {
			req := kmsg.RequestForKey(key.Int16())
			req.SetVersion(version)
			f.Add(frame(1, req))
		}
	}
	f.Add(frame(1, produceOf(20)))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	w := start(f, answerEmpty, limits(func(l *wire.Limits) { l.Request = 100 * time.Millisecond }))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := w.dialIn(t)
		c.Write(b)
		c.Write(b)
		if tcp, ok := c.Conn.(interface{ CloseWrite() error }); ok {
			tcp.CloseWrite()
		}
		c.wantEnd()
		if len(b) > 0 && b[0] == 1 { // at times
			w.dialIn(t).ask(heartbeat())
		}
	})
}

func TestClientsAreNamed(t *testing.T) {
	w := start(t, answerEmpty)
	c := w.dial()
	c.write(raw(999, 0))
	c.wantEnd()
	w.wantLogged(fmt.Sprintf("client=%s", c.LocalAddr()))
}
