package brokers

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// bareProducer sends one batch of one record after the other over a connection of its own,
// idempotently, with acks=all. It is for many that do so at a time: franz-go's client takes as
// much of the processors for such a request as the broker does, and much of what is measured
// would be its pace.
type bareProducer struct {
	conn   net.Conn
	in     *bufio.Reader
	format *kmsg.RequestFormatter

	request   kmsg.ProduceRequest
	record    kmsg.Record
	batch     kmsg.RecordBatch
	sent      int32 // which is the correlation id, too
	out, body []byte
	records   []byte
	batches   []byte
}

// produceVersion is the newest that names topics and is no transaction's.
const produceVersion = 11

func (c *kafkaClient) bareProducer(ctx context.Context, topic string, partition int) (producer, error) {
	id, err := kmsg.NewPtrInitProducerIDRequest().RequestWith(ctx, c.kgo)
	if err == nil {
		err = kerr.ErrorForCode(id.ErrorCode)
	}
	if err != nil {
		return nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return nil, err
	}
	p := &bareProducer{conn: conn, in: bufio.NewReader(conn), format: kmsg.NewRequestFormatter(kmsg.FormatterClientID("bench"))}
	p.batch = kmsg.NewRecordBatch()
	p.batch.Magic, p.batch.PartitionLeaderEpoch, p.batch.NumRecords = 2, -1, 1
	p.batch.ProducerID, p.batch.ProducerEpoch = id.ProducerID, id.ProducerEpoch
	p.request = kmsg.NewProduceRequest()
	p.request.Version, p.request.Acks, p.request.TimeoutMillis = produceVersion, -1, int32(bareTimeout.Milliseconds())
	one := kmsg.NewProduceRequestTopic()
	one.Topic, one.Partitions = topic, []kmsg.ProduceRequestTopicPartition{{Partition: int32(partition)}}
	p.request.Topics = []kmsg.ProduceRequestTopic{one}
	return p, nil
}

// bareTimeout is how long an answer may take.
const bareTimeout = time.Minute

func (p *bareProducer) close() { _ = p.conn.Close() }

// send tries again where the broker asks for that: Apache Kafka does until a new topic is ready.
func (p *bareProducer) send(ctx context.Context, value []byte) error {
	for until := time.Now().Add(bareTimeout); ; {
		err := p.try(value)
		if !kerr.IsRetriable(err) || time.Now().After(until) {
			p.sent++
			return err
		}
		if err := wait(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
}

func (p *bareProducer) try(value []byte) error {
	p.request.Topics[0].Partitions[0].Records = p.encode(value)
	p.out = p.format.AppendRequest(p.out[:0], &p.request, p.sent)
	if err := p.conn.SetDeadline(time.Now().Add(bareTimeout)); err != nil {
		return err
	}
	if _, err := p.conn.Write(p.out); err != nil {
		return err
	}
	return p.answer()
}

// encode makes the batch.
func (p *bareProducer) encode(value []byte) []byte {
	p.record.Value = value
	p.record.Length = 0
	p.records = p.record.AppendTo(p.records[:0])
	p.record.Length = int32(len(p.records) - 1) // without the byte of a length of 0
	p.records = p.record.AppendTo(p.records[:0])

	now := time.Now().UnixMilli()
	p.batch.FirstTimestamp, p.batch.MaxTimestamp, p.batch.FirstSequence, p.batch.Records = now, now, p.sent, p.records
	p.batches = p.batch.AppendTo(p.batches[:0])
	const length, crc, attributes = 8, 17, 21 // positions in a batch
	binary.BigEndian.PutUint32(p.batches[length:], uint32(len(p.batches)-length-4))
	binary.BigEndian.PutUint32(p.batches[crc:], crc32.Checksum(p.batches[attributes:], castagnoli))
	return p.batches
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// answer reads that to the last request.
func (p *bareProducer) answer() error {
	var head [9]byte // length, correlation id, no tags
	if _, err := io.ReadFull(p.in, head[:]); err != nil {
		return err
	}
	size, id := int(binary.BigEndian.Uint32(head[:]))-5, int32(binary.BigEndian.Uint32(head[4:]))
	if size < 0 || size > 1<<20 || id != p.sent || head[8] != 0 {
		return fmt.Errorf("an answer of %d bytes to request %d", size, id)
	}
	if cap(p.body) < size {
		p.body = make([]byte, size)
	}
	p.body = p.body[:size]
	if _, err := io.ReadFull(p.in, p.body); err != nil {
		return err
	}
	answer := kmsg.ProduceResponse{Version: produceVersion}
	if err := answer.ReadFrom(p.body); err != nil {
		return err
	}
	if len(answer.Topics) != 1 || len(answer.Topics[0].Partitions) != 1 {
		return errors.New("an answer that is not for one partition")
	}
	return kerr.ErrorForCode(answer.Topics[0].Partitions[0].ErrorCode)
}
