package broker

import (
	"encoding/binary"
	"regexp"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// mostPartitions one request may make. kfake makes any number, and serves
	// nobody else meanwhile.
	mostPartitions = 10_000
	// mostAutoCreated topics by one metadata request.
	mostAutoCreated = 1000
)

// correct changes or answers requests that kfake would not serve right.
func (c *guardedConn) correct(request, body []byte, req kmsg.Request) error {
	switch r := req.(type) {
	case *kmsg.ApiVersionsRequest:
		return c.namesVersions(request, r.Version)
	case *kmsg.FetchRequest:
		boundFetch(body, r)
	case *kmsg.MetadataRequest:
		return c.boundAutoCreation(request, body, r)
	case *kmsg.JoinGroupRequest:
		return c.requireProtocols(request, r)
	case *kmsg.CreateTopicsRequest:
		return c.boundTopics(request, r)
	case *kmsg.CreatePartitionsRequest:
		return c.boundPartitions(request, r)
	case *kmsg.AlterConfigsRequest:
		return c.onlyTopicConfigs(request, r)
	case *kmsg.IncrementalAlterConfigsRequest:
		return c.onlyTopicConfigsIncremental(request, r)
	}
	return nil
}

// boundFetch lowers the most bytes a client asks for: kfake gathers them in
// memory, whatever the number.
func boundFetch(body []byte, r *kmsg.FetchRequest) {
	if r.Version < 3 || r.MaxBytes <= maxFetchBytes { // older ones do not say
		return
	}
	at := 8 // MaxWaitMillis, MinBytes
	if r.Version <= 14 {
		at += 4 // ReplicaID
	}
	binary.BigEndian.PutUint32(body[at:], maxFetchBytes)
}

// requireProtocols refuses members without a protocol, or with one named twice,
// that no group could agree on. kfake panics when it comes to choose.
func (c *guardedConn) requireProtocols(request []byte, r *kmsg.JoinGroupRequest) error {
	names := map[string]bool{}
	for _, p := range r.Protocols {
		names[p.Name] = true
	}
	if len(names) > 0 && len(names) == len(r.Protocols) {
		return nil
	}
	resp := r.ResponseKind().(*kmsg.JoinGroupResponse)
	resp.ErrorCode = kerr.InconsistentGroupProtocol.Code
	return c.answer(request, resp)
}

var topicNames = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

func isTopicName(s string) bool {
	return topicNames.MatchString(s) && s != "." && s != ".."
}

// boundAutoCreation answers INVALID_TOPIC_EXCEPTION for names no topic can
// have: kfake would create it.
func (c *guardedConn) boundAutoCreation(request, body []byte, r *kmsg.MetadataRequest) error {
	bad := map[string]bool{}
	for _, t := range r.Topics {
		if t.Topic != nil && !isTopicName(*t.Topic) {
			bad[*t.Topic] = true
		}
	}
	if len(bad) == 0 && len(r.Topics) <= mostAutoCreated {
		return nil
	}
	r.AllowAutoTopicCreation = false
	again := r.AppendTo(nil)
	if len(again) > len(body) {
		return refusal("a malformed Metadata request came")
	}
	copy(body, again)
	return c.edits.add(request, func(answer []byte) []byte { return invalidTopics(answer, r, bad) })
}

func invalidTopics(answer []byte, r *kmsg.MetadataRequest, bad map[string]bool) []byte {
	resp := r.ResponseKind().(*kmsg.MetadataResponse)
	begin := 8
	if resp.IsFlexible() {
		begin++ // no tags
	}
	if err := resp.ReadFrom(answer[begin:]); err != nil {
		return answer
	}
	for i := range resp.Topics {
		if t := &resp.Topics[i]; t.Topic != nil && bad[*t.Topic] {
			t.ErrorCode = kerr.InvalidTopicException.Code
		}
	}
	return encode(correlationID(answer), resp)
}
