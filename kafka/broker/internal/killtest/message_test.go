package killtest

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"testing"
)

// message is a record's value. It says all that a check wants to know, and whether it is whole.
type message struct {
	Writer string
	Key    string
	Seq    int // of the key, from 1
	// Part of the Of records of a transaction; both from 1, 0 where there is none.
	Txn, Part, Of int
}

const messageFields = 6

// encode makes a value of about size bytes.
func (m message) encode(size int) []byte {
	b := fmt.Appendf(nil, "%s|%s|%d|%d|%d|%d|", m.Writer, m.Key, m.Seq, m.Txn, m.Part, m.Of)
	const letters = "abcdefghijklmnopqrstuvwxyz"
	for first := (m.Seq + m.Txn) % len(letters); len(b) < size-8; first = 0 {
		b = append(b, letters[first:min(len(letters), first+size-8-len(b))]...)
	}
	return fmt.Appendf(b, "%08x", crc32.ChecksumIEEE(b))
}

func decode(b []byte) (m message, err error) {
	body := len(b) - 8
	if body < 0 || fmt.Sprintf("%08x", crc32.ChecksumIEEE(b[:body])) != string(b[body:]) {
		return m, fmt.Errorf("%d bytes %.60q are no message", len(b), b)
	}
	fields := strings.SplitN(string(b[:body]), "|", messageFields+1)
	if len(fields) <= messageFields {
		return m, fmt.Errorf("%.60q has too few fields", b)
	}
	m.Writer, m.Key = fields[0], fields[1]
	for i, n := range []*int{&m.Seq, &m.Txn, &m.Part, &m.Of} {
		if *n, err = strconv.Atoi(fields[2+i]); err != nil {
			return m, err
		}
	}
	return m, nil
}

func TestMessages(t *testing.T) {
	m := message{Writer: "w", Key: "k", Seq: 7, Txn: 3, Part: 1, Of: 2}
	b := m.encode(100)
	if got, err := decode(b); err != nil || got != m || len(b) != 100 {
		t.Errorf("%d bytes became %v, %v", len(b), got, err)
	}
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 1
		if _, err := decode(bad); err == nil {
			t.Errorf("byte %d was changed, and nobody says so", i)
		}
		if _, err := decode(b[:i]); err == nil {
			t.Errorf("%d of %d bytes are taken for whole", i, len(b))
		}
	}
}
