package broker

import (
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// headLength is the size (4), the API key (2), its version (2) and the
// correlation id (4) that every request begins with.
const headLength = 12

// smallestRequest has a key, a version and a correlation id.
const smallestRequest = headLength - 4

// head is the beginning of a request.
type head struct {
	size         int // of what follows the size field
	key, version int16
}

// refusal says in words for people why a connection is not served.
type refusal string

func (r refusal) Error() string { return string(r) }

func strangers(name string) refusal {
	return refusal("this is a Kafka port, and " + name + " request came")
}

// parseHead checks the beginning of a request.
func parseHead(buf *[headLength]byte, maxRequest int) (head, error) {
	size := binary.BigEndian.Uint32(buf[:4])
	h := head{
		size:    int(size),
		key:     int16(binary.BigEndian.Uint16(buf[4:6])),
		version: int16(binary.BigEndian.Uint16(buf[6:8])),
	}
	if h.key != int16(kmsg.Produce) {
		maxRequest = min(maxRequest, plainRequest)
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
func otherProtocol(begin []byte) string {
	switch string(begin[:4]) {
	case "GET ", "POST", "PUT ", "HEAD", "OPTI", "DELE", "PATC", "CONN", "PRI ":
		return "an HTTP"
	}
	if begin[0] == 0x16 && begin[1] == 0x03 {
		return "a TLS"
	}
	return ""
}

// checkAPI refuses what kfake panics on, a key nobody knows, and what is not
// served here. Versions it cannot decode would be read as something else.
func checkAPI(h head) error {
	req := kmsg.RequestForKey(h.key)
	switch {
	case req == nil:
		return refusal(fmt.Sprintf("a request with the unknown API key %d came", h.key))
	case !served(h.key):
		return refusal(fmt.Sprintf("a %s request came, which the in-process broker does not serve", kmsg.NameForKey(h.key)))
	case h.version < 0 || h.version > maxVersion(req) && h.key != int16(kmsg.ApiVersions):
		return refusal(fmt.Sprintf("a %s request of the unknown version %d came", kmsg.NameForKey(h.key), h.version))
	}
	return nil
}

// check reads a whole request as kfake will, so that a malformed one ends here,
// and changes or answers what kfake would not do right. (kmsg counts tags within
// a body to any number: a hostile one can keep this connection's goroutine busy
// for a minute, and no other.)
func (c *guardedConn) check(request []byte) (err error) {
	key := int16(binary.BigEndian.Uint16(request))
	version := int16(binary.BigEndian.Uint16(request[2:]))
	req := kmsg.RequestForKey(key)
	malformed := refusal(fmt.Sprintf("a malformed %s request of version %d came", kmsg.NameForKey(key), version))
	defer func() {
		if recover() != nil {
			err = malformed
		}
	}()
	if key == int16(kmsg.ApiVersions) && version > req.MaxVersion() {
		return fromTheFuture(request)
	}
	req.SetVersion(version)
	body, ok := afterHeader(request, req.IsFlexible())
	if !ok {
		return malformed
	}
	if key == int16(kmsg.Produce) {
		return c.checkProduce(request, body, version)
	}
	if err := req.ReadFrom(body); err != nil {
		return malformed
	}
	return c.correct(request, body, req)
}

// afterHeader skips key, version, correlation id, client id and tags.
func afterHeader(request []byte, flexible bool) ([]byte, bool) {
	r := kbin.Reader{Src: request[smallestRequest:]}
	r.UnsafeNullableString()
	if flexible {
		skipTags(&r)
	}
	return r.Src, r.Ok()
}

// skipTags ends where the request does: kmsg.SkipTags counts to any number.
func skipTags(r *kbin.Reader) {
	for n := r.Uvarint(); n > 0 && r.Ok(); n-- {
		r.Uvarint()
		r.Span(int(r.Uvarint()))
	}
}
