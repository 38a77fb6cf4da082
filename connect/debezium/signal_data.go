package debezium

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// signalData is what the data of any signal may have.
type signalData struct {
	Tables       []string        `json:"data-collections"`
	Kind         string          `json:"type"`
	Conditions   []Condition     `json:"additional-conditions"`
	SurrogateKey string          `json:"surrogate-key"`
	Message      string          `json:"message"`
	Database     string          `json:"database"`
	Schema       string          `json:"schema"`
	Changes      json.RawMessage `json:"changes"`
}

func (d signalData) action(signal string) (Action, error) {
	switch signal {
	case "execute-snapshot":
		return d.execute()
	case "stop-snapshot":
		if err := d.kind("incremental"); err != nil {
			return nil, err
		}
		return StopSnapshot{d.tables()}, nil
	case "pause-snapshot":
		return PauseSnapshot{}, nil
	case "resume-snapshot":
		return ResumeSnapshot{}, nil
	case "log":
		if d.Message == "" {
			return nil, errors.New("message is missing in its data")
		}
		return LogMessage{d.Message}, nil
	case "schema-changes":
		if len(d.Changes) == 0 || d.Database == "" {
			return nil, errors.New("database or changes is missing in its data")
		}
		return SchemaChanges{d.Database, d.Schema, d.Changes}, nil
	}
	return nil, errors.New("there is no such type")
}

func (d signalData) execute() (Action, error) {
	tables := d.tables()
	if len(tables) == 0 {
		return nil, errors.New("data-collections is missing in its data, or empty")
	}
	if err := d.kind("incremental", "blocking"); err != nil {
		return nil, err
	}
	for _, name := range tables {
		if _, err := CompileJava(name, ""); err != nil {
			return nil, err
		}
	}
	for _, c := range d.Conditions {
		if _, err := CompileJava(c.Tables, "i"); err != nil {
			return nil, err
		}
	}
	return ExecuteSnapshot{tables, d.Conditions, strings.TrimSpace(d.SurrogateKey), strings.EqualFold(d.Kind, "blocking")}, nil
}

func (d signalData) tables() []string {
	var out []string
	for _, name := range d.Tables {
		out = append(out, strings.TrimSpace(name))
	}
	return out
}

func (d signalData) kind(known ...string) error {
	if d.Kind == "" {
		return nil
	}
	for _, k := range known {
		if strings.EqualFold(k, d.Kind) {
			return nil
		}
	}
	return fmt.Errorf("there is no snapshot of type %q for it", d.Kind)
}
