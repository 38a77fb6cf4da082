package broker

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fault is why a part of a request is refused; nil where it is not.
type fault struct {
	code    int16
	message string
}

func newFault(e *kerr.Error, format string, args ...any) *fault {
	return &fault{e.Code, fmt.Sprintf(format, args...)}
}

// notAttempted is said of the parts that come with a refused one.
var notAttempted = newFault(kerr.OperationNotAttempted, "another part of the request is invalid")

// refuseAny answers all n parts of a request where at least one has a fault.
func refuseAny(n int, of func(i int) *fault, say func(i int, f *fault)) (refused bool) {
	faults := make([]*fault, n)
	for i := range faults {
		faults[i] = of(i)
		refused = refused || faults[i] != nil
	}
	if !refused {
		return false
	}
	for i, f := range faults {
		if f == nil {
			f = notAttempted
		}
		say(i, f)
	}
	return true
}

func (c *guardedConn) boundTopics(request []byte, r *kmsg.CreateTopicsRequest) error {
	resp := r.ResponseKind().(*kmsg.CreateTopicsResponse)
	total := 0
	of := func(i int) *fault {
		t := r.Topics[i]
		total += max(int(t.NumPartitions), len(t.ReplicaAssignment), 1)
		switch {
		case !isTopicName(t.Topic):
			return newFault(kerr.InvalidTopicException, "a topic's name has 1 to 249 letters, digits, dots, dashes and underscores")
		case total > mostPartitions:
			return newFault(kerr.InvalidPartitions, "at most %d partitions at a time", mostPartitions)
		}
		return nil
	}
	say := func(i int, f *fault) {
		t := kmsg.NewCreateTopicsResponseTopic()
		t.Topic, t.ErrorCode, t.ErrorMessage = r.Topics[i].Topic, f.code, &f.message
		resp.Topics = append(resp.Topics, t)
	}
	if refuseAny(len(r.Topics), of, say) {
		return c.answer(request, resp)
	}
	return nil
}

func (c *guardedConn) boundPartitions(request []byte, r *kmsg.CreatePartitionsRequest) error {
	resp := r.ResponseKind().(*kmsg.CreatePartitionsResponse)
	total := 0
	of := func(i int) *fault {
		if total += max(int(r.Topics[i].Count), 1); total > mostPartitions {
			return newFault(kerr.InvalidPartitions, "at most %d partitions at a time", mostPartitions)
		}
		return nil
	}
	say := func(i int, f *fault) {
		t := kmsg.NewCreatePartitionsResponseTopic()
		t.Topic, t.ErrorCode, t.ErrorMessage = r.Topics[i].Topic, f.code, &f.message
		resp.Topics = append(resp.Topics, t)
	}
	if refuseAny(len(r.Topics), of, say) {
		return c.answer(request, resp)
	}
	return nil
}

// Settings of the broker itself stay as they are: kfake panics on some values,
// and others would start its cleaner.
func refuseNonTopic(t kmsg.ConfigResourceType) *fault {
	if t == kmsg.ConfigResourceTypeTopic {
		return nil
	}
	return newFault(kerr.PolicyViolation, "the in-process broker lets only topics be configured")
}

func (c *guardedConn) onlyTopicConfigs(request []byte, r *kmsg.AlterConfigsRequest) error {
	resp := r.ResponseKind().(*kmsg.AlterConfigsResponse)
	of := func(i int) *fault { return refuseNonTopic(r.Resources[i].ResourceType) }
	say := func(i int, f *fault) {
		answer := kmsg.NewAlterConfigsResponseResource()
		answer.ResourceType, answer.ResourceName = r.Resources[i].ResourceType, r.Resources[i].ResourceName
		answer.ErrorCode, answer.ErrorMessage = f.code, &f.message
		resp.Resources = append(resp.Resources, answer)
	}
	if refuseAny(len(r.Resources), of, say) {
		return c.answer(request, resp)
	}
	return nil
}

func (c *guardedConn) onlyTopicConfigsIncremental(request []byte, r *kmsg.IncrementalAlterConfigsRequest) error {
	resp := r.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
	of := func(i int) *fault { return refuseNonTopic(r.Resources[i].ResourceType) }
	say := func(i int, f *fault) {
		answer := kmsg.NewIncrementalAlterConfigsResponseResource()
		answer.ResourceType, answer.ResourceName = r.Resources[i].ResourceType, r.Resources[i].ResourceName
		answer.ErrorCode, answer.ErrorMessage = f.code, &f.message
		resp.Resources = append(resp.Resources, answer)
	}
	if refuseAny(len(r.Resources), of, say) {
		return c.answer(request, resp)
	}
	return nil
}
