package server_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// conn is a connection whose requests go out as they are, in the version they have.
type conn struct {
	net.Conn
	t      testing.TB
	format *kmsg.RequestFormatter
	sent   int32
	// patience is how long an answer may take.
	patience time.Duration
}

// errDecode says that an answer is none of its version.
var errDecode = errors.New("decode the answer")

func (w *world) dial() *conn {
	w.t.Helper()
	raw, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { raw.Close() })
	return &conn{Conn: raw, t: w.t, format: kmsg.NewRequestFormatter(kmsg.FormatterClientID("test")), patience: 30 * time.Second}
}

// try sends a request and returns its answer, or why there is none.
func (c *conn) try(req kmsg.Request) (kmsg.Response, error) {
	_ = c.SetDeadline(time.Now().Add(c.patience))
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
	if got := int32(binary.BigEndian.Uint32(body)); got != c.sent {
		return nil, fmt.Errorf("the answer is to request %d, not %d", got, c.sent)
	}
	body = body[4:]
	resp := req.ResponseKind()
	if resp.IsFlexible() && req.Key() != int16(kmsg.ApiVersions) {
		body = body[1:]
	}
	if err := resp.ReadFrom(bytes.Clone(body)); err != nil {
		return nil, fmt.Errorf("%w: %w", errDecode, err)
	}
	if again := resp.AppendTo(nil); len(again) != len(body) {
		return nil, fmt.Errorf("%w: it has %d bytes and becomes %d: %x", errDecode, len(body), len(again), body)
	}
	return resp, nil
}

// ask sends a request and returns its answer.
func ask[R kmsg.Response](c *conn, req kmsg.Request) R {
	c.t.Helper()
	resp, err := c.try(req)
	if err != nil {
		c.t.Fatalf("%s version %d: %v", kmsg.NameForKey(req.Key()), req.GetVersion(), err)
	}
	return resp.(R)
}

// wantEnd says that the broker has closed the connection.
func (c *conn) wantEnd() {
	c.t.Helper()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if n, err := io.Copy(io.Discard, c); n > 0 || isTimeout(err) {
		c.t.Fatalf("the connection goes on: %d bytes, %v", n, err)
	}
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

// codes are all error codes of an answer, in the order of its fields, 0 included.
func codes(resp kmsg.Response) []int16 {
	var all []int16
	var walk func(reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).Name == "ErrorCode" {
					all = append(all, int16(v.Field(i).Int()))
				} else if v.Type().Field(i).IsExported() {
					walk(v.Field(i))
				}
			}
		}
	}
	walk(reflect.ValueOf(resp))
	return all
}

// named is what an error code is called.
func named(code int16) string {
	if e := kerr.TypedErrorForCode(code); e != nil {
		return e.Message
	}
	return "no error"
}

// wantCode fails unless an error is the expected one, nil for none.
func wantCode(t testing.TB, what string, got int16, want *kerr.Error) {
	t.Helper()
	code := int16(0)
	if want != nil {
		code = want.Code
	}
	if got != code {
		t.Errorf("%s: %s, want %s", what, named(got), named(code))
	}
}
