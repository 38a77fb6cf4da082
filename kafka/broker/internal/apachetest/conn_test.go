package apachetest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// conn is a connection on which requests go out as they are, in the version they have.
type conn struct {
	net.Conn
	format *kmsg.RequestFormatter
	sent   int32
}

// patience with an answer.
const patience = 20 * time.Second

func dial(t testing.TB, addr string) *conn {
	t.Helper()
	raw, err := net.DialTimeout("tcp", addr, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	return &conn{Conn: raw, format: kmsg.NewRequestFormatter(kmsg.FormatterClientID("compare"))}
}

// ask sends a request and returns its answer, or why there is none.
func (c *conn) ask(req kmsg.Request) (kmsg.Response, error) {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	c.sent++
	if _, err := c.Write(c.format.AppendRequest(nil, req, c.sent)); err != nil {
		return nil, err
	}
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(c, body); err != nil {
		return nil, err
	}
	return c.read(req, body)
}

func (c *conn) read(req kmsg.Request, body []byte) (kmsg.Response, error) {
	if got := int32(binary.BigEndian.Uint32(body)); got != c.sent {
		return nil, fmt.Errorf("the answer is to request %d, not %d", got, c.sent)
	}
	body = body[4:]
	resp := req.ResponseKind()
	if resp.IsFlexible() && req.Key() != int16(kmsg.ApiVersions) {
		if body[0] != 0 {
			return nil, errors.New("the answer has tags")
		}
		body = body[1:]
	}
	if err := resp.ReadFrom(bytes.Clone(body)); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return resp, nil
}

// login says who the connection is.
func (c *conn) login(t testing.TB, user, password string) {
	t.Helper()
	handshake := kmsg.NewPtrSASLHandshakeRequest()
	handshake.Version, handshake.Mechanism = 1, "PLAIN"
	if resp, err := c.ask(handshake); err != nil || resp.(*kmsg.SASLHandshakeResponse).ErrorCode != 0 {
		t.Fatalf("SASL handshake: %v, %v", resp, err)
	}
	authenticate := kmsg.NewPtrSASLAuthenticateRequest()
	authenticate.Version, authenticate.SASLAuthBytes = 2, []byte("\x00"+user+"\x00"+password)
	resp, err := c.ask(authenticate)
	if err != nil {
		t.Fatal(err)
	}
	if err := kerr.ErrorForCode(resp.(*kmsg.SASLAuthenticateResponse).ErrorCode); err != nil {
		t.Fatalf("authenticate as %s: %v", user, err)
	}
}

// versions are those that the server offers, by key.
func (c *conn) versions(t testing.TB) map[int16][2]int16 {
	t.Helper()
	req := kmsg.NewPtrApiVersionsRequest()
	req.Version, req.ClientSoftwareName, req.ClientSoftwareVersion = 3, "compare", "1"
	resp, err := c.ask(req)
	if err != nil {
		t.Fatal(err)
	}
	all := map[int16][2]int16{}
	for _, k := range resp.(*kmsg.ApiVersionsResponse).ApiKeys {
		all[k.ApiKey] = [2]int16{k.MinVersion, k.MaxVersion}
	}
	return all
}
