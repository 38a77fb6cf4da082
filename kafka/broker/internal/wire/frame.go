package wire

import (
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// headLength is the size (4), the API key (2), its version (2) and the correlation id
// (4) that every request begins with.
const headLength = 12

// refusal says in words for people why a connection is not served.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, args ...any) refusal { return refusal(fmt.Sprintf(format, args...)) }

// head is the beginning of a request.
type head struct {
	size         int // of what follows the head
	key, version int16
	correlation  int32
	token        bool // a message of SASL's
}

func parseHead(b []byte) head {
	return head{
		size:        int(int32(binary.BigEndian.Uint32(b))) - headLength + 4,
		key:         int16(binary.BigEndian.Uint16(b[4:])),
		version:     int16(binary.BigEndian.Uint16(b[6:])),
		correlation: int32(binary.BigEndian.Uint32(b[8:])),
	}
}

// otherProtocol recognises who is wrong here. Nearly all of them would be requests of
// hundreds of megabytes if they were Kafka's.
func otherProtocol(begin []byte) string {
	switch string(begin[:4]) {
	case "GET ", "POST", "PUT ", "HEAD", "OPTI", "DELE", "PATC", "CONN", "PRI ":
		return "an HTTP"
	case "SSH-":
		return "an SSH"
	}
	if begin[0] == 0x16 && begin[1] == 0x03 {
		return "a TLS"
	}
	return ""
}

// checkSize bounds a request before memory is taken for it.
func checkSize(size uint32, most int) error {
	if int64(size) > int64(most) {
		return refuse("a request of %d bytes came, at most %d are served", size, most)
	}
	if size < headLength-4 {
		return refuse("a request of %d bytes came, which is no Kafka request", size)
	}
	return nil
}

// checkAPI refuses what is not served. From a version that is not known nothing can be
// read, but that ApiVersions is asked for.
func (s *Server) checkAPI(h head) error {
	api, ok := s.apis[h.key]
	if !ok && kmsg.RequestForKey(h.key) == nil {
		return refuse("a request with the unknown API key %d came", h.key)
	}
	if !ok {
		return refuse("a %s request came, which this broker does not serve", kmsg.NameForKey(h.key))
	}
	if h.key != int16(kmsg.ApiVersions) && (h.version < api.Min || h.version > api.Max) {
		return refuse("a %s request of version %d came, versions %d to %d are served", kmsg.NameForKey(h.key), h.version, api.Min, api.Max)
	}
	return nil
}

// decoded is a request that was read.
type decoded struct {
	req    kmsg.Request // nil: an ApiVersions of a version that nobody knows yet
	client []byte       // its client id
	memory int          // about what it takes
}

// malformed is what came instead of a request.
func (h head) malformed() refusal {
	return refuse("a malformed %s request of version %d came", kmsg.NameForKey(h.key), h.version)
}

// decode reads a request, which may refer to the bytes of rest, those after the head.
// room is asked for memory before it is used.
func decode(h head, rest []byte, into kmsg.Request, room func(memory int) error) (d decoded, err error) {
	defer func() {
		if recover() != nil {
			err = h.malformed()
		}
	}()
	if h.key == int16(kmsg.ApiVersions) && (h.version < 0 || h.version > apiVersionsMax) {
		return decoded{}, nil
	}
	if d.req = into; d.req == nil {
		d.req = kmsg.RequestForKey(h.key)
	}
	d.req.SetVersion(h.version)
	w := walk{rest: rest}
	d.client = w.take(max(0, w.length(false, 2)))
	if d.req.IsFlexible() {
		w.skipTags()
	}
	if w.bad {
		return d, h.malformed()
	}
	if produce, ok := d.req.(*kmsg.ProduceRequest); ok {
		d.memory, err = decodeProduce(produce, w.rest)
		return d, err
	}
	l, err := layoutOf(h.key, h.version)
	if err != nil {
		return d, err
	}
	memory, ok := l.check(w.rest)
	if !ok {
		return d, h.malformed()
	}
	d.memory = memory
	if err := room(memory); err != nil {
		return d, err
	}
	if d.req.ReadFrom(w.rest) != nil {
		return d, h.malformed()
	}
	return d, nil
}
