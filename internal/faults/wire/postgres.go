package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
)

// Postgres reads PostgreSQL's protocol, version 3.
func Postgres(string) Protocol { return &postgresLine{} }

type postgresLine struct {
	mu    sync.Mutex
	asked []string // what a ReadyForQuery will answer, in order
}

func (l *postgresLine) serve(client, server net.Conn, watch Watch) {
	cancel, err := l.start(client, server, watch)
	if err != nil {
		return
	}
	if cancel {
		_, _ = io.Copy(client, server) // until the server closes it
		return
	}
	both(client, server,
		func() error { return l.ask(client, server, watch) },
		func() error { return l.answer(server, client, watch) })
}

// Codes in the place of a protocol version.
const (
	codeCancel = 80877102
	codeTLS    = 80877103
	codeGSS    = 80877104
)

// start passes on the first message, which has no type. A request to cancel a
// query is all that its connection carries.
func (l *postgresLine) start(client io.Reader, server io.Writer, watch Watch) (cancel bool, err error) {
	var size [4]byte
	if _, err := io.ReadFull(client, size[:]); err != nil {
		return false, err
	}
	frame, err := readBody(client, size[:], int(int32(binary.BigEndian.Uint32(size[:])))-4)
	if err != nil {
		return false, err
	}
	if len(frame) < 8 {
		return false, fmt.Errorf("%w: a first message of %d bytes", errMalformed, len(frame))
	}
	switch binary.BigEndian.Uint32(frame[4:]) {
	case codeTLS, codeGSS:
		return false, fmt.Errorf("%w: encryption; use sslmode=disable", errMalformed)
	case codeCancel:
		cancel = true
	default:
		if !watch(l.expect("start")) {
			return false, errCut
		}
	}
	_, err = server.Write(frame)
	return cancel, err
}

func (l *postgresLine) ask(from net.Conn, to net.Conn, watch Watch) error {
	line := newPipe(from, to)
	for {
		frame, err := readTyped(line.in)
		if err != nil {
			return err
		}
		pass := true
		switch frame[0] {
		case 'Q':
			pass = watch(l.expect(firstWord(frame[5:])))
		case 'S':
			pass = watch(l.expect("batch"))
		}
		if !pass {
			return errCut
		}
		if err := line.write(frame); err != nil {
			return err
		}
	}
}

func (l *postgresLine) answer(from net.Conn, to net.Conn, watch Watch) error {
	line := newPipe(from, to)
	for {
		frame, err := readTyped(line.in)
		if err != nil {
			return err
		}
		if frame[0] == 'Z' && !watch(l.answered()) {
			return errCut
		}
		if err := line.write(frame); err != nil {
			return err
		}
	}
}

func (l *postgresLine) expect(op string) Point {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, op)
	return Point{Server: "postgres", Op: op}
}

func (l *postgresLine) answered() Point {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := Point{Server: "postgres", Op: "unasked", Answered: true}
	if len(l.asked) > 0 {
		p.Op, l.asked = l.asked[0], l.asked[1:]
	}
	return p
}

// pipe is one direction; it writes when nothing more is there to be read, so
// that many small messages become one packet.
type pipe struct {
	in  *bufio.Reader
	out *bufio.Writer
}

func newPipe(from io.Reader, to io.Writer) pipe {
	return pipe{bufio.NewReaderSize(from, 32<<10), bufio.NewWriterSize(to, 32<<10)}
}

func (p pipe) write(frame []byte) error {
	if _, err := p.out.Write(frame); err != nil {
		return err
	}
	if p.in.Buffered() > 0 {
		return nil
	}
	return p.out.Flush()
}

// firstWord of a statement, in lower case.
func firstWord(sql []byte) string {
	fields := bytes.FieldsFunc(sql[:min(len(sql), 64)], func(r rune) bool { return r <= ' ' || r == ';' })
	if len(fields) == 0 {
		return "empty"
	}
	return strings.ToLower(string(fields[0]))
}

func readTyped(r io.Reader) ([]byte, error) {
	var header [5]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, err
	}
	return readBody(r, header[:], int(int32(binary.BigEndian.Uint32(header[1:])))-4)
}
