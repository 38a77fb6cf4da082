package api

import (
	"context"
	"time"
)

// Topics is the cluster's log.
type Topics interface {
	// Cluster describes it; where it does not answer, Problem says so and the
	// error is nil.
	Cluster(ctx context.Context) (Cluster, error)
	Topics(ctx context.Context, q TopicQuery) (Page[TopicSummary], error)
	Topic(ctx context.Context, name string) (Topic, error)
	CreateTopic(ctx context.Context, t NewTopic) error
	Messages(ctx context.Context, q MessageQuery) (Messages, error)
	// Tail calls fn with new messages until ctx ends or fn fails. It reads no
	// faster than fn takes.
	Tail(ctx context.Context, q MessageQuery, fn func(Message) error) error
	Produce(ctx context.Context, m ProduceRequest) (Produced, error)
}

// Groups are the consumer groups.
type Groups interface {
	// Groups asks for the offsets of the groups on the page only.
	Groups(ctx context.Context, q PageQuery) (Page[GroupSummary], error)
	Group(ctx context.Context, name string) (Group, error)
	// Reset moves a group. For a consumer of a service, whose truth is in its
	// database, it is a deliberate replay, back only; any other group must be
	// empty. With DryRun it only plans.
	Reset(ctx context.Context, r ResetRequest) (ResetPlan, error)
}

// Cluster is Kafka as it answers.
type Cluster struct {
	ID         string   `json:"id"`
	Controller int32    `json:"controller"`
	Brokers    []Broker `json:"brokers"`
	// Seeds are the addresses the console was given.
	Seeds []string `json:"seeds"`
	// Problem says why it does not answer; "" where it does.
	Problem string `json:"problem,omitempty"`
}

// Broker is one node.
type Broker struct {
	ID   int32  `json:"id"`
	Host string `json:"host"`
	Port int32  `json:"port"`
	Rack string `json:"rack,omitempty"`
}

// TopicQuery selects topics, by name.
type TopicQuery struct {
	PageQuery
	// Internal includes those of Kafka and Pabal ("__…", "pabal.…").
	Internal bool `json:"internal,omitempty"`
}

// TopicSummary is a line of the list.
type TopicSummary struct {
	Name        string `json:"name"`
	Partitions  int    `json:"partitions"`
	Replication int    `json:"replication"`
	// Records is the sum of end minus start: an upper bound where topics are
	// compacted or transactional; -1 where it is not known.
	Records  int64 `json:"records"`
	Internal bool  `json:"internal"`
	// Problem such as "no leader"; "" where there is none.
	Problem string `json:"problem,omitempty"`
}

// Topic is one in detail.
type Topic struct {
	TopicSummary
	ID         string        `json:"id"`
	Partitions []Partition   `json:"partitionList"`
	Config     []ConfigEntry `json:"config"`
	// Consumers are the groups of services known to read it.
	Consumers []string `json:"consumers"`
}

// Partition of a topic. Start and End are offsets; Stable is up to where
// read_committed readers get.
type Partition struct {
	Partition int32   `json:"partition"`
	Leader    int32   `json:"leader"`
	Replicas  []int32 `json:"replicas"`
	InSync    []int32 `json:"inSync"`
	Start     int64   `json:"start"`
	End       int64   `json:"end"`
	Stable    int64   `json:"stable"`
	Problem   string  `json:"problem,omitempty"`
}

// ConfigEntry is one setting; Value is "" for a secret.
type ConfigEntry struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	// Source is "default", "broker" or "topic".
	Source    string `json:"source"`
	Sensitive bool   `json:"sensitive,omitempty"`
}

// NewTopic is a topic to be made.
type NewTopic struct {
	Name string `json:"name"`
	// Partitions is 4 where zero, Replication the broker's default.
	Partitions  int32             `json:"partitions,omitempty"`
	Replication int16             `json:"replication,omitempty"`
	Config      map[string]string `json:"config,omitempty"`
}

// MessageQuery selects messages of a topic.
type MessageQuery struct {
	Topic string `json:"topic"`
	// Partition is nil for all.
	Partition *int32 `json:"partition,omitempty"`
	// From is where to begin: "latest" (the last Limit messages; the default),
	// "earliest", "offset:N", "time:RFC3339", or a Next of the page before.
	From string `json:"from,omitempty"`
	// Filter narrows: words must all appear in key, headers or value;
	// "key:x", "type:x", "id:x", "correlation:x", "header:name=x" and
	// "value:x" look there only. Case does not matter.
	Filter string `json:"filter,omitempty"`
	// Limit is 50 where zero, at most 500.
	Limit int `json:"limit,omitempty"`
	// Full leaves values longer than 16 KiB whole, up to 1 MiB.
	Full bool `json:"full,omitempty"`
}

// Messages is a part of a topic: the partitions' messages merged by time, those of
// one partition by offset.
type Messages struct {
	Items []Message `json:"items"`
	// Next goes on where this page ended: to later messages, or, after "latest",
	// to earlier ones; "" at the end (the start) of the topic.
	Next string `json:"next,omitempty"`
	// Scanned counts records looked at; Stopped says that the search ended
	// before the end of the topic (time or size), so that Next goes on.
	Scanned int64 `json:"scanned"`
	Stopped bool  `json:"stopped,omitempty"`
	// Note tells of what was asked for and not possible, for example an offset
	// past the end.
	Note string `json:"note,omitempty"`
}

// Message is a record of the log, decoded for people.
type Message struct {
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	Timestamp time.Time `json:"timestamp"`
	Key       Data      `json:"key"`
	Value     Data      `json:"value"`
	Headers   []Header  `json:"headers"`
	// Event has the CloudEvents attributes, nil where the record is none.
	Event *Event `json:"event,omitempty"`
	// Masked names the fields a masking rule hid.
	Masked []string `json:"masked,omitempty"`
}

// Data is bytes for people: Text where Format is not "binary" (then Base64).
type Data struct {
	// Format is "json", "text", "binary" or "null" (a tombstone or no key).
	Format string `json:"format"`
	Text   string `json:"text,omitempty"`
	Base64 []byte `json:"base64,omitempty"`
	// Size is the whole's as it is stored, in bytes; Cut says that not all of it is here.
	Size int  `json:"size"`
	Cut  bool `json:"cut,omitempty"`
	// Schema is that of bytes which begin with its id, as Confluent's serializers write them;
	// nil for others. Text is JSON then, unless Schema has a Problem.
	Schema *DataSchema `json:"schema,omitempty"`
}

// DataSchema is the schema that a key or value was written with.
type DataSchema struct {
	// ID is the one in front of the bytes.
	ID int64 `json:"id"`
	// Type is "AVRO" or "JSON", "" where the schema is not known.
	Type string `json:"type,omitempty"`
	// Subject and Version have it; "" and 0 where the registry does not tell. Of several, it is
	// the subject of this topic.
	Subject string `json:"subject,omitempty"`
	Version int    `json:"version,omitempty"`
	// Problem says why the bytes were not decoded, or what is wrong with them; "" for neither.
	Problem string `json:"problem,omitempty"`
}

// Header of a record.
type Header struct {
	Key   string `json:"key"`
	Value Data   `json:"value"`
}

// Event is what makes a record a CloudEvent.
type Event struct {
	ID            string    `json:"id"`
	Type          string    `json:"type"`
	Source        string    `json:"source,omitempty"`
	Key           string    `json:"key,omitempty"`
	Time          time.Time `json:"time"`
	CorrelationID string    `json:"correlationId,omitempty"`
	CausationID   string    `json:"causationId,omitempty"`
}

// ProduceRequest is a message to write.
type ProduceRequest struct {
	Topic string `json:"topic"`
	// Partition is nil for the key's.
	Partition *int32 `json:"partition,omitempty"`
	Key       string `json:"key,omitempty"`
	// Value as text, or ValueBase64; neither with Tombstone. At most 1 MiB.
	Value       string            `json:"value,omitempty"`
	ValueBase64 []byte            `json:"valueBase64,omitempty"`
	Tombstone   bool              `json:"tombstone,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"`
	// Type makes it a CloudEvent of that type, with a fresh id, the present time
	// and Correlation (its own id where empty).
	Type        string `json:"type,omitempty"`
	Correlation string `json:"correlation,omitempty"`
}

// Produced is where it went.
type Produced struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	EventID   string `json:"eventId,omitempty"`
}

// GroupSummary is a line of the list. Lag is -1 where it is not known.
type GroupSummary struct {
	Name  string `json:"name"`
	State string `json:"state"`
	// Service is the one whose consumer this is, "" for a foreign group.
	Service string   `json:"service,omitempty"`
	Members int      `json:"members"`
	Topics  []string `json:"topics"`
	Lag     int64    `json:"lag"`
	Problem string   `json:"problem,omitempty"`
}

// Group is one in detail.
type Group struct {
	GroupSummary
	Protocol    string        `json:"protocol,omitempty"`
	Coordinator int32         `json:"coordinator"`
	MemberList  []Member      `json:"memberList"`
	Offsets     []GroupOffset `json:"offsets"`
}

// Member of a group.
type Member struct {
	ID         string   `json:"id"`
	InstanceID string   `json:"instanceId,omitempty"`
	ClientID   string   `json:"clientId"`
	Host       string   `json:"host"`
	Assigned   []string `json:"assigned"`
}

// GroupOffset is where a group stands in a partition. Truth is "database" where it
// comes from the service's tables, "kafka" otherwise; -1 is unknown or none.
type GroupOffset struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Committed int64  `json:"committed"`
	End       int64  `json:"end"`
	Lag       int64  `json:"lag"`
	Truth     string `json:"truth"`
	Member    string `json:"member,omitempty"`
}

// ResetRequest moves a group in a topic.
type ResetRequest struct {
	Group string `json:"group"`
	Topic string `json:"topic"`
	// Partition is nil for all.
	Partition *int32 `json:"partition,omitempty"`
	// To is "earliest", "latest", "offset:N" or "time:RFC3339".
	To     string `json:"to"`
	DryRun bool   `json:"dryRun,omitempty"`
}

// ResetPlan is what a reset does, or did.
type ResetPlan struct {
	Group string `json:"group"`
	// Replay says that it is a deliberate replay of a service's consumer.
	Replay bool        `json:"replay"`
	DryRun bool        `json:"dryRun"`
	Moves  []ResetMove `json:"moves"`
	// Warning in plain words, for example how many messages come again.
	Warning string `json:"warning,omitempty"`
}

// ResetMove is one partition's.
type ResetMove struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from"`
	To        int64  `json:"to"`
	// Problem says why this one was not moved.
	Problem string `json:"problem,omitempty"`
}
