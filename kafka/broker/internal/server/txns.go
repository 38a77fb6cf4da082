package server

import (
	"errors"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/group"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/pabal-dev/pabal/kafka/broker/internal/producer"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (s *Server) initProducerID(c call, req *kmsg.InitProducerIDRequest) {
	var refused *kerr.Error
	switch {
	case req.TransactionalID == nil:
		if !s.mayIdempotent(c.conn) {
			refused = kerr.ClusterAuthorizationFailed
		}
	case !s.mayTxn(c.conn, kmsg.ACLOperationWrite, *req.TransactionalID):
		refused = kerr.TransactionalIDAuthorizationFailed
	}
	if refused != nil {
		resp := kmsg.NewPtrInitProducerIDResponse()
		resp.ErrorCode, resp.ProducerID, resp.ProducerEpoch = refused.Code, -1, -1
		c.answer(req, resp)
		return
	}
	s.txns.InitProducerID(req, func(resp *kmsg.InitProducerIDResponse) { c.answer(req, resp) })
}

// addPartitionsToTxn adds all partitions or, where one cannot be, none.
func (s *Server) addPartitionsToTxn(c call, req *kmsg.AddPartitionsToTxnRequest) {
	if !s.mayTxn(c.conn, kmsg.ACLOperationWrite, req.TransactionalID) {
		c.answer(req, addRefused(req, func(string, int32) *kerr.Error { return kerr.TransactionalIDAuthorizationFailed }))
		return
	}
	bad := false
	why := func(topic string, index int32) *kerr.Error {
		switch {
		case !s.mayTopic(c.conn, kmsg.ACLOperationWrite, topic), topic == node.Offsets, topic == node.Txns:
			return kerr.TopicAuthorizationFailed
		case s.partition(topic, index) == nil:
			return kerr.UnknownTopicOrPartition
		}
		return nil
	}
	resp := addRefused(req, func(topic string, index int32) *kerr.Error {
		if err := why(topic, index); err != nil {
			bad = true
			return err
		}
		return kerr.OperationNotAttempted
	})
	if bad {
		c.answer(req, resp)
		return
	}
	s.txns.AddPartitionsToTxn(req, func(resp *kmsg.AddPartitionsToTxnResponse) { c.answer(req, resp) })
}

func addRefused(req *kmsg.AddPartitionsToTxnRequest, why func(topic string, index int32) *kerr.Error) *kmsg.AddPartitionsToTxnResponse {
	resp := kmsg.NewPtrAddPartitionsToTxnResponse()
	for _, t := range req.Topics {
		topic := kmsg.NewAddPartitionsToTxnResponseTopic()
		topic.Topic = t.Topic
		for _, index := range t.Partitions {
			p := kmsg.NewAddPartitionsToTxnResponseTopicPartition()
			p.Partition, p.ErrorCode = index, why(t.Topic, index).Code
			topic.Partitions = append(topic.Partitions, p)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

func (s *Server) addOffsetsToTxn(c call, req *kmsg.AddOffsetsToTxnRequest) {
	var refused *kerr.Error
	switch {
	case !s.mayTxn(c.conn, kmsg.ACLOperationWrite, req.TransactionalID):
		refused = kerr.TransactionalIDAuthorizationFailed
	case !s.mayGroup(c.conn, kmsg.ACLOperationRead, req.Group):
		refused = kerr.GroupAuthorizationFailed
	}
	if refused != nil {
		resp := kmsg.NewPtrAddOffsetsToTxnResponse()
		resp.ErrorCode = refused.Code
		c.answer(req, resp)
		return
	}
	s.txns.AddOffsetsToTxn(req, func(resp *kmsg.AddOffsetsToTxnResponse) { c.answer(req, resp) })
}

func (s *Server) endTxn(c call, req *kmsg.EndTxnRequest) {
	if !s.mayTxn(c.conn, kmsg.ACLOperationWrite, req.TransactionalID) {
		resp := kmsg.NewPtrEndTxnResponse()
		resp.ErrorCode = kerr.TransactionalIDAuthorizationFailed.Code
		c.answer(req, resp)
		return
	}
	s.txns.EndTxn(req, func(resp *kmsg.EndTxnResponse) { c.answer(req, resp) })
}

// implicitGroups is the version since which a producer does not say beforehand that it
// commits a group's offsets (KIP-890).
const implicitGroups = 5

func (s *Server) txnOffsetCommit(c call, req *kmsg.TxnOffsetCommitRequest) {
	var refused *kerr.Error
	switch {
	case !s.mayTxn(c.conn, kmsg.ACLOperationWrite, req.TransactionalID):
		refused = kerr.TransactionalIDAuthorizationFailed
	case !s.mayGroup(c.conn, kmsg.ACLOperationRead, req.Group):
		refused = kerr.GroupAuthorizationFailed
	}
	if refused != nil {
		c.answer(req, txnCommitRefused(req.Topics, refused))
		return
	}
	if req.Version < implicitGroups {
		s.commitInTxn(c, req)
		return
	}
	s.txns.AddGroup(req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group, func(err *kerr.Error) {
		if err != nil {
			c.answer(req, txnCommitRefused(req.Topics, err))
			return
		}
		s.commitInTxn(c, req)
	})
}

func (s *Server) commitInTxn(c call, req *kmsg.TxnOffsetCommitRequest) {
	ask := *req
	ask.Topics = nil
	var refused []kmsg.TxnOffsetCommitRequestTopic
	for _, t := range req.Topics {
		if s.mayTopic(c.conn, kmsg.ACLOperationRead, t.Topic) {
			ask.Topics = append(ask.Topics, t)
		} else {
			refused = append(refused, t)
		}
	}
	if len(ask.Topics) == 0 { // no group comes of it
		c.answer(req, txnCommitRefused(refused, kerr.TopicAuthorizationFailed))
		return
	}
	s.groups.TxnOffsetCommit(&ask, func(resp *kmsg.TxnOffsetCommitResponse) {
		resp.Topics = append(resp.Topics, txnCommitRefused(refused, kerr.TopicAuthorizationFailed).Topics...)
		c.answer(req, resp)
	})
}

func txnCommitRefused(topics []kmsg.TxnOffsetCommitRequestTopic, err *kerr.Error) *kmsg.TxnOffsetCommitResponse {
	resp := kmsg.NewPtrTxnOffsetCommitResponse()
	for _, t := range topics {
		topic := kmsg.NewTxnOffsetCommitResponseTopic()
		topic.Topic = t.Topic
		for _, p := range t.Partitions {
			answer := kmsg.NewTxnOffsetCommitResponseTopicPartition()
			answer.Partition, answer.ErrorCode = p.Partition, err.Code
			topic.Partitions = append(topic.Partitions, answer)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

func (s *Server) listTransactions(c call, req *kmsg.ListTransactionsRequest) {
	may := func(id string) bool { return s.mayTxn(c.conn, kmsg.ACLOperationDescribe, id) }
	s.txns.ListTransactions(req, may, func(resp *kmsg.ListTransactionsResponse) { c.answer(req, resp) })
}

func (s *Server) describeTransactions(c call, req *kmsg.DescribeTransactionsRequest) {
	allowed, refused := split(req.TransactionalIDs, func(id string) bool { return s.mayTxn(c.conn, kmsg.ACLOperationDescribe, id) })
	ask := *req
	ask.TransactionalIDs = allowed
	s.txns.DescribeTransactions(&ask, func(resp *kmsg.DescribeTransactionsResponse) {
		for i := range resp.TransactionStates {
			s.hideTopics(c, &resp.TransactionStates[i])
		}
		for _, id := range refused {
			t := kmsg.NewDescribeTransactionsResponseTransactionState()
			t.TransactionalID, t.ErrorCode = id, kerr.TransactionalIDAuthorizationFailed.Code
			resp.TransactionStates = append(resp.TransactionStates, t)
		}
		c.answer(req, resp)
	})
}

func (s *Server) hideTopics(c call, t *kmsg.DescribeTransactionsResponseTransactionState) {
	var seen []kmsg.DescribeTransactionsResponseTransactionStateTopic
	for _, topic := range t.Topics {
		if s.mayTopic(c.conn, kmsg.ACLOperationDescribe, topic.Topic) {
			seen = append(seen, topic)
		}
	}
	t.Topics = seen
}

func (s *Server) describeProducers(c call, req *kmsg.DescribeProducersRequest) {
	resp := kmsg.NewPtrDescribeProducersResponse()
	told := partitions{}
	for _, t := range req.Topics {
		topic := kmsg.NewDescribeProducersResponseTopic()
		topic.Topic = t.Topic
		for _, index := range told.more(t.Topic, t.Partitions) {
			topic.Partitions = append(topic.Partitions, s.producersOf(c, t.Topic, index))
		}
		resp.Topics = append(resp.Topics, topic)
	}
	c.answer(req, resp)
}

func (s *Server) producersOf(c call, topic string, index int32) kmsg.DescribeProducersResponseTopicPartition {
	answer := kmsg.NewDescribeProducersResponseTopicPartition()
	answer.Partition = index
	p := s.partition(topic, index)
	switch {
	case !node.ValidName(topic):
		answer.ErrorCode = kerr.InvalidTopicException.Code
		return answer
	case !s.mayTopic(c.conn, kmsg.ACLOperationRead, topic):
		answer.ErrorCode = kerr.TopicAuthorizationFailed.Code
		return answer
	case p == nil:
		answer.ErrorCode = kerr.UnknownTopicOrPartition.Code
		return answer
	}
	for _, known := range p.Log().Producers() {
		a := kmsg.NewDescribeProducersResponseTopicPartitionActiveProducer()
		a.ProducerID, a.ProducerEpoch, a.LastSequence = known.ID, int32(known.Epoch), known.LastSequence
		a.LastTimestamp, a.CoordinatorEpoch, a.CurrentTxnStartOffset = known.LastTimestamp, known.CoordinatorEpoch, known.OpenFirst
		answer.ActiveProducers = append(answer.ActiveProducers, a)
	}
	return answer
}

// writeTxnMarkers ends transactions that hang: no coordinator knows of them. Between
// brokers it is what the coordinator itself does.
func (s *Server) writeTxnMarkers(c call, req *kmsg.WriteTxnMarkersRequest) {
	resp := kmsg.NewPtrWriteTxnMarkersResponse()
	allowed := s.mayCluster(c.conn, kmsg.ACLOperationAlter) || s.mayCluster(c.conn, kmsg.ACLOperationClusterAction)
	n := 0
	for _, m := range req.Markers {
		marker := kmsg.NewWriteTxnMarkersResponseMarker()
		marker.ProducerID = m.ProducerID
		for _, t := range m.Topics {
			topic := kmsg.NewWriteTxnMarkersResponseMarkerTopic()
			topic.Topic = t.Topic
			for _, index := range t.Partitions {
				p := kmsg.NewWriteTxnMarkersResponseMarkerTopicPartition()
				p.Partition, p.ErrorCode = index, kerr.ClusterAuthorizationFailed.Code
				topic.Partitions = append(topic.Partitions, p)
				n++
			}
			marker.Topics = append(marker.Topics, topic)
		}
		resp.Markers = append(resp.Markers, marker)
	}
	if !allowed {
		c.answer(req, resp)
		return
	}
	done := waitFor(n, func() { c.answer(req, resp) })
	for i, m := range req.Markers {
		for j, t := range m.Topics {
			for k, index := range t.Partitions {
				code := &resp.Markers[i].Topics[j].Partitions[k].ErrorCode
				s.writeMarker(m, t.Topic, index, func(err error) {
					*code = markerCode(err)
					done()
				})
			}
		}
	}
}

func (s *Server) writeMarker(m kmsg.WriteTxnMarkersRequestMarker, topic string, index int32, done func(error)) {
	if topic == node.Offsets {
		s.groups.EndTxn(group.Marker{ProducerID: m.ProducerID, Epoch: m.ProducerEpoch, Commit: m.Committed}, done)
		return
	}
	p := s.partition(topic, index)
	switch {
	case p == nil:
		done(kerr.UnknownTopicOrPartition)
		return
	case p.Topic.Internal: // a coordinator could not read its log any more
		done(kerr.InvalidTopicException)
		return
	}
	p.AppendMarker(batch.Marker{
		Commit: m.Committed, ProducerID: m.ProducerID, ProducerEpoch: m.ProducerEpoch, CoordinatorEpoch: m.CoordinatorEpoch,
	}, func(_ log.Appended, err error) { done(err) })
}

func markerCode(err error) int16 {
	var known *kerr.Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &known):
		return known.Code
	case errors.Is(err, producer.ErrInvalidEpoch):
		return kerr.InvalidProducerEpoch.Code
	case errors.Is(err, producer.ErrCoordinatorFenced):
		return kerr.TransactionCoordinatorFenced.Code
	}
	return kerr.KafkaStorageError.Code
}
