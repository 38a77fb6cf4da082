package broker

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// headLength is the size (4), the API key (2) and its version (2) that every
// request begins with.
const headLength = 8

// smallestRequest has a key, a version and a correlation id.
const smallestRequest = 8

// head is the beginning of a request.
type head struct {
	size         int // of what follows the size field
	key, version int16
}

// refusal says in words for people why a connection is not served.
type refusal string

func (r refusal) Error() string { return string(r) }

// readHead reads and checks the beginning of a request. io.EOF is a client
// that left between requests.
func readHead(r io.Reader, buf *[headLength]byte, maxRequest int) (head, error) {
	if _, err := io.ReadFull(r, buf[:]); err != nil {
		return head{}, err
	}
	size := binary.BigEndian.Uint32(buf[:4])
	h := head{
		size:    int(size),
		key:     int16(binary.BigEndian.Uint16(buf[4:6])),
		version: int16(binary.BigEndian.Uint16(buf[6:8])),
	}
	if name := otherProtocol(buf); name != "" {
		return h, refusal("this is a Kafka port, and " + name + " request came")
	}
	if int64(size) > int64(maxRequest) {
		return h, refusal(fmt.Sprintf("a request of %d bytes came, at most %d are served", size, maxRequest))
	}
	if size < smallestRequest {
		return h, refusal(fmt.Sprintf("a request of %d bytes came, which is no Kafka request", size))
	}
	return h, checkAPI(h)
}

// otherProtocol recognises who is wrong here. All of them would be requests of
// hundreds of megabytes if they were Kafka's.
func otherProtocol(buf *[headLength]byte) string {
	switch string(buf[:4]) {
	case "GET ", "POST", "PUT ", "HEAD", "OPTI", "DELE", "PATC", "CONN", "PRI ":
		return "an HTTP"
	}
	if buf[0] == 0x16 && buf[1] == 0x03 {
		return "a TLS"
	}
	return ""
}

// apiVersions negotiates: a version unknown to us gets an answer that names
// those we know (KIP-511).
const apiVersions = 18

// checkAPI refuses what kfake panics on: a key nobody knows. Versions it cannot
// decode would be read as something else.
func checkAPI(h head) error {
	req := kmsg.RequestForKey(h.key)
	switch {
	case req == nil:
		return refusal(fmt.Sprintf("a request with the unknown API key %d came", h.key))
	case h.version < 0 || h.version > req.MaxVersion() && h.key != apiVersions:
		return refusal(fmt.Sprintf("a %s request of the unknown version %d came", kmsg.NameForKey(h.key), h.version))
	}
	return nil
}
