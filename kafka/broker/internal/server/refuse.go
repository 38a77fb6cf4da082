package server

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// RefuseProduce answers all of a request with an error.
func RefuseProduce(req *kmsg.ProduceRequest, err *kerr.Error) kmsg.Response {
	resp := kmsg.NewPtrProduceResponse()
	for _, t := range req.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.TopicID = strings.Clone(t.Topic), t.TopicID // part of the request
		for _, p := range t.Partitions {
			answer := kmsg.NewProduceResponseTopicPartition()
			answer.Partition, answer.ErrorCode, answer.BaseOffset = p.Partition, err.Code, -1
			topic.Partitions = append(topic.Partitions, answer)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

// NotCoordinator answers a request to a coordinator of groups or transactions as a broker
// does that is not theirs; nil where it is no such request.
func NotCoordinator(req kmsg.Request) kmsg.Response {
	code := kerr.NotCoordinator.Code
	resp := req.(interface{ ResponseKind() kmsg.Response }).ResponseKind()
	switch r := resp.(type) {
	case *kmsg.JoinGroupResponse:
		r.ErrorCode = code
	case *kmsg.SyncGroupResponse:
		r.ErrorCode = code
	case *kmsg.HeartbeatResponse:
		r.ErrorCode = code
	case *kmsg.LeaveGroupResponse:
		r.ErrorCode = code
	case *kmsg.InitProducerIDResponse:
		r.ErrorCode, r.ProducerID, r.ProducerEpoch = code, -1, -1
	case *kmsg.AddOffsetsToTxnResponse:
		r.ErrorCode = code
	case *kmsg.EndTxnResponse:
		r.ErrorCode = code
	case *kmsg.OffsetFetchResponse:
		refuseOffsets(req.(*kmsg.OffsetFetchRequest), r)
	case *kmsg.OffsetCommitResponse:
		for _, t := range req.(*kmsg.OffsetCommitRequest).Topics {
			r.Topics = append(r.Topics, refusedCommit(t, kerr.NotCoordinator))
		}
	case *kmsg.TxnOffsetCommitResponse:
		return txnCommitRefused(req.(*kmsg.TxnOffsetCommitRequest).Topics, kerr.NotCoordinator)
	case *kmsg.AddPartitionsToTxnResponse:
		return addRefused(req.(*kmsg.AddPartitionsToTxnRequest), func(string, int32) *kerr.Error { return kerr.NotCoordinator })
	default:
		return nil
	}
	return resp
}

func refuseOffsets(req *kmsg.OffsetFetchRequest, resp *kmsg.OffsetFetchResponse) {
	resp.ErrorCode = kerr.NotCoordinator.Code
	for _, t := range req.Topics {
		resp.Topics = append(resp.Topics, refusedFetch(t, kerr.NotCoordinator))
	}
	for _, g := range req.Groups {
		answer := kmsg.NewOffsetFetchResponseGroup()
		answer.Group, answer.ErrorCode = g.Group, kerr.NotCoordinator.Code
		resp.Groups = append(resp.Groups, answer)
	}
}
