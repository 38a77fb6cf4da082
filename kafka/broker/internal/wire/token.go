package wire

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// ExpectTokens has the client's next messages be SASL's alone, each with its length before it,
// until Authenticated: so it is after SaslHandshake of version 0. Each is handled as a
// SASLAuthenticateRequest. Of the answer its bytes are sent; one with an error ends the
// connection, as there is no form for it.
func (c *Conn) ExpectTokens() { c.tokens.Store(true) }

func (c *Conn) tokenHead(size uint32) (head, error) {
	c.in.Discard(4)
	if size > unknownBytes {
		return head{}, refuse("a message of SASL's came with %d bytes, at most %d are served", size, unknownBytes)
	}
	return head{size: int(size), key: int16(kmsg.SASLAuthenticate), token: true}, nil
}

func (c *Conn) readToken(h head) error {
	req := kmsg.NewPtrSASLAuthenticateRequest()
	req.SASLAuthBytes = make([]byte, h.size)
	if err := c.readBody(req.SASLAuthBytes); err != nil {
		return err
	}
	c.server.count(h)
	c.queue.push(&pending{conn: c, plain: true, token: true, req: req, client: c.client, handled: func() {}})
	return nil
}

func (o *outgoing) addToken(a Answer) error {
	resp, ok := a.(*kmsg.SASLAuthenticateResponse)
	if !ok || resp.ErrorCode != 0 {
		return errUnanswered
	}
	b := binary.BigEndian.AppendUint32(*o.encoded, uint32(len(resp.SASLAuthBytes)))
	*o.encoded = append(b, resp.SASLAuthBytes...)
	return nil
}
