package server

import (
	"strings"
	"sync/atomic"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/pabal-dev/pabal/kafka/broker/internal/txn"
	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// addsPartitions is the version of Produce that makes partitions part of the
	// producer's transaction (KIP-890).
	addsPartitions = 12
	// withZstd is the version since which batches may be compressed with it.
	withZstd = 7
	// mostDecompressed is how much the records of one batch may be. Who looks for a
	// time among them has them in memory.
	mostDecompressed = 128 << 20
)

// produce appends records. It returns when all are in the logs' turn, and answers when
// they are as durable as the node makes them; acks=0 is answered, that is, not at all,
// before.
func (s *Server) produce(c call, req *kmsg.ProduceRequest) {
	p := newProducing(s, c, req)
	if refused := p.refuse(req); refused != nil {
		p.finishAll(refused)
		return
	}
	if p.txnID != "" { // all is right before any partition is added to the transaction
		p.check(p.parts)
		p.addPartitions()
	}
	for i := range p.parts {
		if p.txnID == "" { // one by one, while the processor's cache has it
			p.check(p.parts[i : i+1])
		}
		p.parts[i].append()
	}
	p.appended()
}

// producing is one request under way.
type producing struct {
	server  *Server
	call    call
	resp    *kmsg.ProduceResponse
	parts   []part
	txnID   string
	acks    int16
	version int16
	left    atomic.Int32 // parts without a result, and one until all were appended
	failed  atomic.Bool
}

// part is the records for one partition.
type part struct {
	*producing
	topic   *node.Topic
	to      *node.Partition
	records []byte
	header  batch.Header
	answer  *kmsg.ProduceResponseTopicPartition
	name    string // of the topic; part of the request
	done    bool
}

func newProducing(s *Server, c call, req *kmsg.ProduceRequest) *producing {
	n := 0
	for i := range req.Topics {
		n += len(req.Topics[i].Partitions)
	}
	p := &producing{server: s, call: c, resp: &kmsg.ProduceResponse{Version: req.Version}, acks: req.Acks, version: req.Version}
	p.parts = make([]part, n)
	p.resp.Topics = make([]kmsg.ProduceResponseTopic, len(req.Topics))
	p.left.Store(int32(n) + 1)
	answers := make([]kmsg.ProduceResponseTopicPartition, n)
	i := 0
	for at := range req.Topics {
		from := &req.Topics[at]
		topic := s.producedTopic(from, req.Version)
		p.resp.Topics[at].Topic, p.resp.Topics[at].TopicID = nameOf(topic, from), from.TopicID
		p.resp.Topics[at].Partitions = answers[i : i+len(from.Partitions)]
		for j := range from.Partitions {
			answers[i] = kmsg.NewProduceResponseTopicPartition()
			answers[i].Partition, answers[i].BaseOffset = from.Partitions[j].Partition, -1
			p.parts[i] = part{producing: p, topic: topic, records: from.Partitions[j].Records, answer: &answers[i], name: p.resp.Topics[at].Topic}
			i++
		}
	}
	if req.TransactionID != nil {
		p.txnID = *req.TransactionID
	}
	return p
}

// producedTopic returns the topic that a request names, nil where there is none.
func (s *Server) producedTopic(t *kmsg.ProduceRequestTopic, version int16) *node.Topic {
	if version >= 13 {
		return s.topicByID(t.TopicID)
	}
	return s.topic(t.Topic)
}

// nameOf is a name that outlives the request.
func nameOf(t *node.Topic, from *kmsg.ProduceRequestTopic) string {
	if t != nil {
		return t.Name
	}
	return strings.Clone(from.Topic)
}

// refuse says why nothing of a request is appended.
func (p *producing) refuse(req *kmsg.ProduceRequest) *kerr.Error {
	switch {
	case req.Acks < -1 || req.Acks > 1:
		return kerr.InvalidRequiredAcks
	case p.namesTwice(req):
		return kerr.InvalidRequest
	case req.TransactionID != nil && !p.server.mayTxn(p.call.conn, kmsg.ACLOperationWrite, p.txnID):
		return kerr.TransactionalIDAuthorizationFailed
	}
	return nil
}

// namesTwice says whether a partition is: its records would have no order.
func (p *producing) namesTwice(req *kmsg.ProduceRequest) bool {
	if len(p.parts) < 2 {
		return false
	}
	seen := make(map[partitionKey]struct{}, len(p.parts))
	for i := range req.Topics {
		t := &req.Topics[i]
		for j := range t.Partitions {
			seen[partitionKey{t.Topic, t.TopicID, t.Partitions[j].Partition}] = struct{}{}
		}
	}
	return len(seen) < len(p.parts)
}

// finishAll answers every part with an error.
func (p *producing) finishAll(err *kerr.Error) {
	for i := range p.parts {
		p.parts[i].finish(log.Appended{}, err)
	}
	p.appended()
}

func (p *producing) check(parts []part) {
	for i := range parts {
		if err := parts[i].check(); err != nil {
			parts[i].finish(log.Appended{}, err)
		}
	}
}

// check looks at everything that does not depend on what is in the log.
func (p *part) check() error {
	if p.topic == nil && p.version >= 13 {
		return kerr.UnknownTopicID
	}
	if !p.server.mayTopic(p.call.conn, kmsg.ACLOperationWrite, p.name) {
		return kerr.TopicAuthorizationFailed
	}
	if p.topic == nil {
		return kerr.UnknownTopicOrPartition
	}
	if p.topic.Internal {
		return kerr.InvalidTopicException
	}
	if p.to = p.topic.Partition(p.answer.Partition); p.to == nil {
		return kerr.UnknownTopicOrPartition
	}
	return p.checkBatch()
}

// checkBatch wants one whole batch, with what its header promises.
func (p *part) checkBatch() error {
	if len(p.records) == 0 {
		return withReason(kerr.InvalidRecord, "a request has one batch for each partition")
	}
	h, err := batch.Parse(p.records)
	if err != nil {
		return err
	}
	if h.Size > p.topic.MaxMessageBytes() {
		return batch.ErrTooLarge
	}
	if h, err = batch.Verify(p.records); err != nil {
		return err
	}
	if h.Size != len(p.records) {
		return withReason(kerr.InvalidRecord, "a request has one batch for each partition")
	}
	if err := h.CheckProduced(); err != nil {
		return err
	}
	if h.Codec() == 4 && p.version < withZstd {
		return kerr.UnsupportedCompressionType
	}
	if h.Transactional() && p.txnID == "" {
		return kerr.TransactionalIDAuthorizationFailed
	}
	p.header = h
	return batch.CheckRecords(p.records, &p.header, batch.Rules{Keys: p.topic.Compacted(), AnyTime: true, Decompressed: mostDecompressed})
}

// addPartitions makes partitions part of the transaction that are not, and waits for it.
func (p *producing) addPartitions() {
	if p.version < addsPartitions || p.txnID == "" {
		return
	}
	var missing []txn.Partition
	var first *part
	for i := range p.parts {
		if q := &p.parts[i]; !q.done && q.header.Transactional() && q.verify() != nil {
			missing = append(missing, q.partition())
			first = q
		}
	}
	if first == nil {
		return
	}
	added := make(chan *kerr.Error, 1)
	p.server.txns.AddPartitions(strings.Clone(p.txnID), first.header.ProducerID, first.header.ProducerEpoch, missing, func(err *kerr.Error) { added <- err })
	err := kerr.CoordinatorNotAvailable
	select {
	case err = <-added:
	case <-p.call.ctx.Done():
	}
	if err == nil {
		return
	}
	for i := range p.parts {
		if q := &p.parts[i]; !q.done && q.header.Transactional() {
			q.finish(log.Appended{}, forProducers(err, p.version))
		}
	}
}

func (p *part) partition() txn.Partition {
	return txn.Partition{Topic: p.topic.Name, Index: p.to.Index}
}

// verify says whether the partition is part of the producer's transaction now.
func (p *part) verify() error {
	if err := p.server.txns.Verify(p.txnID, p.header.ProducerID, p.header.ProducerEpoch, p.partition()); err != nil {
		return forProducers(err, p.version)
	}
	return nil
}

func (p *part) append() {
	if p.done {
		return
	}
	var may func() error
	if p.header.Transactional() {
		may = p.verify
	}
	p.to.Append(p.records, p.header, may, p.finish)
}

// finish notes a part's result, once.
func (p *part) finish(at log.Appended, err error) {
	p.done = true
	a := p.answer
	if err != nil {
		p.failed.Store(true)
		p.tell(err)
	} else {
		a.BaseOffset, a.LogAppendTime, a.LogStartOffset = at.Base, at.Timestamp, p.to.Log().Offsets().Start
	}
	p.release()
}

// appended ends the appends of a request.
func (p *producing) appended() {
	if p.acks != 0 {
		p.release()
		return
	}
	if p.failed.Load() {
		p.call.reply(nil) // the only way to say it
	} else {
		p.call.reply(wire.NoAnswer)
	}
}

// release answers when it is called for the last time.
func (p *producing) release() {
	if p.left.Add(-1) == 0 {
		p.call.reply(p.resp)
	}
}
