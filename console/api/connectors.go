package api

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Connectors are those of Kafka Connect's API: of the workers of `pabal up`, or of a Kafka
// Connect elsewhere. Secrets in configurations are masked by who runs them.
type Connectors interface {
	// Connectors lists them: the failed ones first.
	Connectors(ctx context.Context) (ConnectorList, error)
	// Connector is one whole. ErrNotFound.
	Connector(ctx context.Context, name string) (Connector, error)
	// ConnectorPlugins are the classes that there are connectors of, by name.
	ConnectorPlugins(ctx context.Context) (ConnectorPluginList, error)
	// ConnectorPlugin is a class with its settings. ErrNotFound.
	ConnectorPlugin(ctx context.Context, class string) (ConnectorPlugin, error)
	// CreateConnector checks a configuration and, unless it is a dry run, creates the
	// connector. A dry run answers what is wrong; else an error that is a Problem does.
	// ErrConflict where there is one of that name.
	CreateConnector(ctx context.Context, c ConnectorConfig) (ConnectorChecked, error)
	// ConfigureConnector checks a configuration and, unless it is a dry run, has it replace
	// the connector's. What is masked in it stays as it is.
	ConfigureConnector(ctx context.Context, c ConnectorConfig) (ConnectorChecked, error)
	// ActOnConnector pauses, resumes, stops or restarts one.
	ActOnConnector(ctx context.Context, a ActOnConnector) (ConnectorDone, error)
	// DeleteConnector deletes one; its offsets stay, and what it made in its database.
	DeleteConnector(ctx context.Context, d DeleteConnector) (ConnectorDone, error)
	// SetConnectorOffsets changes or forgets where a stopped connector goes on.
	SetConnectorOffsets(ctx context.Context, o SetConnectorOffsets) (ConnectorDone, error)
}

// ConnectorList are all connectors.
type ConnectorList struct {
	Items []ConnectorSummary `json:"items"`
	// Slots are replication slots of their databases: those of connectors, and abandoned ones.
	Slots []ConnectorSlot `json:"slots"`
	// Logs are those of servers that keep them by age or size.
	Logs []ConnectorLog `json:"logs,omitempty"`
	// Problems are parts that could not be asked, such as another worker.
	Problems []string `json:"problems,omitempty"`
}

// ConnectorSummary is a connector in a list.
type ConnectorSummary struct {
	Name string `json:"name"`
	// Class is the Java class of its plugin; Type is "source", "sink" or "unknown".
	Class string `json:"class"`
	Type  string `json:"type"`
	// State is RUNNING, PAUSED, STOPPED, RESTARTING or UNASSIGNED, and FAILED where the
	// connector or one of its tasks failed.
	State string `json:"state"`
	// Workers have the connector or a task of it.
	Workers []string `json:"workers"`
	Tasks   int      `json:"tasks"`
	Failed  int      `json:"failed"`
	// Problem is the first line of why it failed.
	Problem string `json:"problem,omitempty"`
	// Group is the consumer group of a sink, with the tenant's prefix; Lag how many records
	// it has still to read, -1 where that is not known.
	Group string `json:"group,omitempty"`
	Lag   int64  `json:"lag"`
	// LastEvent is when a source's last record came, BehindMillis how long after its change in
	// the database that was; -1 where that is not known.
	LastEvent    time.Time `json:"lastEvent,omitzero"`
	BehindMillis int64     `json:"behindMillis"`
	// Snapshot is that of a source, nil where none was taken since its task began.
	Snapshot *ConnectorSnapshot `json:"snapshot,omitempty"`
	// Alarms are about its database, such as log that is kept for it.
	Alarms []string `json:"alarms,omitempty"`
}

// Connector is a connector whole.
type Connector struct {
	ConnectorSummary
	// Trace is why the connector itself failed.
	Trace    string            `json:"trace,omitempty"`
	TaskList []ConnectorTask   `json:"taskList"`
	Config   map[string]string `json:"config,omitempty"`
	// Topics that it has used.
	Topics []string `json:"topics"`
	// Offsets are where it goes on; OffsetsProblem says why they are not known.
	Offsets        []ConnectorOffset `json:"offsets"`
	OffsetsProblem string            `json:"offsetsProblem,omitempty"`
	// Slots are its replication slots.
	Slots []ConnectorSlot `json:"slots"`
	// Log is its server's, and where it is in it; nil where the server keeps it by slots, or nobody knows.
	Log *ConnectorLog `json:"log,omitempty"`
	// Problems are parts that could not be asked.
	Problems []string `json:"problems,omitempty"`
}

// ConnectorTask is a task of a connector.
type ConnectorTask struct {
	Task   int    `json:"task"`
	State  string `json:"state"`
	Worker string `json:"worker"`
	// Trace is why it failed.
	Trace string `json:"trace,omitempty"`
	// Progress of a source's task; nil where no worker says.
	Progress *ConnectorProgress `json:"progress,omitempty"`
}

// ConnectorOffset is where a connector goes on in a part of what it reads. Both are JSON
// objects of the connector's own; a sink's have kafka_topic, kafka_partition and kafka_offset.
type ConnectorOffset struct {
	Partition json.RawMessage `json:"partition"`
	// Offset is null where it is to be forgotten.
	Offset json.RawMessage `json:"offset"`
}

// ConnectorPluginList are the classes that there are.
type ConnectorPluginList struct {
	Items []ConnectorPlugin `json:"items"`
}

// ConnectorPlugin is a class of connectors.
type ConnectorPlugin struct {
	Class   string `json:"class"`
	Type    string `json:"type"`
	Version string `json:"version,omitempty"`
	// Settings are left out in lists.
	Settings []ConnectorSetting `json:"settings,omitempty"`
}

// ConnectorSetting is a key of a configuration.
type ConnectorSetting struct {
	Name string `json:"name"`
	// Type is Kafka's: STRING, INT, LONG, BOOLEAN, LIST, PASSWORD, CLASS and others.
	Type     string `json:"type"`
	Required bool   `json:"required"`
	Default  string `json:"default,omitempty"`
	// Importance is HIGH, MEDIUM or LOW.
	Importance    string   `json:"importance"`
	Documentation string   `json:"documentation,omitempty"`
	Group         string   `json:"group,omitempty"`
	Label         string   `json:"label,omitempty"`
	Recommended   []string `json:"recommended,omitempty"`
}

// ConnectorConfig is a connector that is to be created, or changed.
type ConnectorConfig struct {
	Connector string            `json:"connector"`
	Config    map[string]string `json:"config"`
	// DryRun only checks. It may ask the database that is named.
	DryRun bool `json:"dryRun,omitempty"`
}

// Audited is what the audit log has of it: names of settings, not what they are.
func (c ConnectorConfig) Audited() any {
	return map[string]any{"connector": c.Connector, "class": c.Config["connector.class"], "settings": slices.Sorted(maps.Keys(c.Config))}
}

// ConnectorChecked says what is wrong with a configuration, or that it is in force.
type ConnectorChecked struct {
	Connector string             `json:"connector"`
	DryRun    bool               `json:"dryRun,omitempty"`
	Problems  []ConnectorProblem `json:"problems"`
	// Warnings are about settings that have no effect.
	Warnings []string `json:"warnings,omitempty"`
}

// ConnectorProblem is what is wrong with a setting.
type ConnectorProblem struct {
	Setting string `json:"setting"`
	Detail  string `json:"detail"`
}

// Refused is the error of a configuration that is wrong, nil where it is not.
func (c ConnectorChecked) Refused() error {
	if len(c.Problems) == 0 {
		return nil
	}
	p := &Problem{Type: problemPrefix + "invalid", Title: "Bad Request", Status: Status(ErrInvalid)}
	for i, one := range c.Problems {
		p.Errors = append(p.Errors, FieldError{Field: one.Setting, Detail: one.Detail})
		if i > 0 {
			p.Detail += "\n"
		}
		p.Detail += one.Setting + ": " + one.Detail
	}
	return p
}

// ActOnConnector has a connector do something.
type ActOnConnector struct {
	Connector string `json:"connector"`
	// Do is "pause", "resume", "stop" or "restart".
	Do string `json:"do"`
	// Task restarts one task only; FailedOnly restarts what failed only.
	Task       *int `json:"task,omitempty"`
	FailedOnly bool `json:"failedOnly,omitempty"`
}

// ConnectorActs are what ActOnConnector.Do may be.
var ConnectorActs = []string{"pause", "resume", "stop", "restart"}

// DeleteConnector names the one to be deleted.
type DeleteConnector struct {
	Connector string `json:"connector"`
}

// SetConnectorOffsets changes the offsets that are given, or forgets all where Reset says so.
type SetConnectorOffsets struct {
	Connector string            `json:"connector"`
	Offsets   []ConnectorOffset `json:"offsets,omitempty"`
	Reset     bool              `json:"reset,omitempty"`
}

// ConnectorDone is what an act on a connector came to.
type ConnectorDone struct {
	Connector string `json:"connector"`
	// Said is a sentence for people.
	Said string `json:"said"`
}

// SortConnectors puts those first that need somebody.
func SortConnectors(all []ConnectorSummary) {
	slices.SortFunc(all, func(a, b ConnectorSummary) int {
		return cmp.Or(cmp.Compare(connectorRank(a), connectorRank(b)), cmp.Compare(a.Name, b.Name))
	})
}

func connectorRank(c ConnectorSummary) int {
	switch {
	case c.State == "FAILED":
		return 0
	case len(c.Alarms) > 0:
		return 1
	case c.State == "RUNNING":
		return 3
	}
	return 2
}
