package wire

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Kafka reads Kafka's protocol. Answers that name the broker's address are
// rewritten to name the proxy's.
func Kafka(self string) Protocol { return &kafkaLine{self: self} }

type kafkaLine struct {
	self string

	mu    sync.Mutex
	asked []kafkaCall // answers come in the order of the requests
}

type kafkaCall struct {
	key, version int16
	correlation  int32
}

func (l *kafkaLine) serve(client, server net.Conn, watch Watch) {
	both(client, server,
		func() error { return l.ask(client, server, watch) },
		func() error { return l.answer(server, client, watch) })
}

func (l *kafkaLine) ask(from io.Reader, to io.Writer, watch Watch) error {
	for {
		frame, err := readKafka(from)
		if err != nil {
			return err
		}
		if len(frame) < 12 {
			return fmt.Errorf("%w: a request of %d bytes", errMalformed, len(frame))
		}
		call := kafkaCall{
			key:         int16(binary.BigEndian.Uint16(frame[4:])),
			version:     int16(binary.BigEndian.Uint16(frame[6:])),
			correlation: int32(binary.BigEndian.Uint32(frame[8:])),
		}
		if !watch(call.point(false)) {
			return errCut
		}
		l.mu.Lock()
		l.asked = append(l.asked, call)
		l.mu.Unlock()
		if _, err := to.Write(frame); err != nil {
			return err
		}
	}
}

func (l *kafkaLine) answer(from io.Reader, to io.Writer, watch Watch) error {
	for {
		frame, err := readKafka(from)
		if err != nil {
			return err
		}
		call, err := l.called(frame)
		if err != nil {
			return err
		}
		if frame, err = l.rewrite(call, frame); err != nil {
			return err
		}
		if !watch(call.point(true)) {
			return errCut
		}
		if _, err := to.Write(frame); err != nil {
			return err
		}
	}
}

func (l *kafkaLine) called(frame []byte) (kafkaCall, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(frame) < 8 || len(l.asked) == 0 {
		return kafkaCall{}, fmt.Errorf("%w: an answer of %d bytes to %d requests", errMalformed, len(frame), len(l.asked))
	}
	call := l.asked[0]
	l.asked = l.asked[1:]
	if got := int32(binary.BigEndian.Uint32(frame[4:])); got != call.correlation {
		return kafkaCall{}, fmt.Errorf("%w: answer %d to request %d", errMalformed, got, call.correlation)
	}
	return call, nil
}

func (c kafkaCall) point(answered bool) Point {
	return Point{Server: "kafka", Op: kmsg.NameForKey(c.key), Answered: answered}
}

// rewrite puts the proxy's address into answers that name the broker's.
func (l *kafkaLine) rewrite(call kafkaCall, frame []byte) ([]byte, error) {
	response := kmsg.ResponseForKey(call.key)
	switch response.(type) {
	case *kmsg.MetadataResponse, *kmsg.FindCoordinatorResponse, *kmsg.DescribeClusterResponse:
	default:
		return frame, nil
	}
	response.SetVersion(call.version)
	header := 8
	if response.IsFlexible() {
		header++ // no tagged fields
	}
	if len(frame) < header {
		return nil, fmt.Errorf("%w: an answer of %d bytes", errMalformed, len(frame))
	}
	if err := response.ReadFrom(frame[header:]); err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	if err := l.relabel(response); err != nil {
		return nil, err
	}
	frame = response.AppendTo(frame[:header:header])
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	return frame, nil
}

func (l *kafkaLine) relabel(response kmsg.Response) error {
	host, text, err := net.SplitHostPort(l.self)
	if err != nil {
		return err
	}
	number, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return err
	}
	port := int32(number)
	switch r := response.(type) {
	case *kmsg.MetadataResponse:
		for i := range r.Brokers {
			r.Brokers[i].Host, r.Brokers[i].Port = host, port
		}
	case *kmsg.FindCoordinatorResponse:
		if r.Port > 0 {
			r.Host, r.Port = host, port
		}
		for i := range r.Coordinators {
			if r.Coordinators[i].Port > 0 {
				r.Coordinators[i].Host, r.Coordinators[i].Port = host, port
			}
		}
	case *kmsg.DescribeClusterResponse:
		for i := range r.Brokers {
			r.Brokers[i].Host, r.Brokers[i].Port = host, port
		}
	}
	return nil
}

func readKafka(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	return readBody(r, size[:], int(int32(binary.BigEndian.Uint32(size[:]))))
}
