package debezium

import (
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// ContextHeaders of all records of one run of a task: nil where extended.headers.enabled is false.
// connector is such as "postgresql", task its number, run an id that no other run has.
func ContextHeaders(s *Settings, connector, task, run string) []plugin.Header {
	if !s.ContextHeaders {
		return nil
	}
	text := data.Of(data.String)
	return []plugin.Header{
		{Key: "__debezium.context.connectorLogicalName", Schema: text, Value: s.Naming.Prefix},
		{Key: "__debezium.context.taskId", Schema: text, Value: task},
		{Key: "__debezium.context.connectorName", Schema: text, Value: connector},
		{Key: "__debezium.context.runId", Schema: text, Value: run},
	}
}
