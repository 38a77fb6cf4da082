package console

import (
	"encoding/json"
	"path"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/saga"
)

// object is a part of the document.
type object = map[string]any

// schemas makes JSON Schema of Go types; structs become components.
type schemas struct{ components object }

var (
	timeType = reflect.TypeFor[time.Time]()
	rawType  = reflect.TypeFor[json.RawMessage]()
)

// enums are types with few values.
var enums = map[reflect.Type][]any{
	reflect.TypeFor[api.Role]():          {api.Viewer, api.Operator, api.Admin},
	reflect.TypeFor[api.ChangeKind]():    {api.Added, api.Removed, api.Changed},
	reflect.TypeFor[admin.Kind]():        {admin.EventSourced, admin.Durable},
	reflect.TypeFor[admin.RebuildStep](): {admin.RebuildStart, admin.RebuildCompare, admin.RebuildSwap, admin.RebuildCancel},
	reflect.TypeFor[saga.Status]():       anyOf(saga.Statuses()),
	reflect.TypeFor[saga.ActAction]():    anyOf(admin.SagaActs),
	reflect.TypeFor[saga.StepPhase](): {saga.StepRunning, saga.StepSucceeded, saga.StepRefused, saga.StepFailed, saga.StepUnknown, saga.StepSkipped,
		saga.StepUndoing, saga.StepUndone, saga.StepUndoFailed, saga.StepUndoSkipped},
	reflect.TypeFor[saga.TimerKind](): {saga.DeadlineTimer, saga.TimeoutTimer, saga.UndoTimeoutTimer, saga.RetryTimer, saga.UndoRetryTimer},
	reflect.TypeFor[saga.EntryKind](): {saga.EntryStarted, saga.EntryCommand, saga.EntryUndo, saga.EntryAnswer, saga.EntryTimer, saga.EntryStep,
		saga.EntryCancel, saga.EntryAct, saga.EntryStatus, saga.EntryMessage, saga.EntryLateAnswer},
	reflect.TypeFor[api.HopKind]():  {api.HopRequest, api.HopOutbox, api.HopRecord, api.HopConsume, api.HopAnswer},
	reflect.TypeFor[api.HopState](): {api.Done, api.InFlight, api.Stalled, api.Failing, api.Dead, api.Missing, api.Unknown},
	reflect.TypeFor[api.Cause](): {api.CauseServiceAway, api.CauseRelayStopped, api.CauseRowFailed, api.CauseRowRefused, api.CauseKafkaAway,
		api.CauseLag, api.CauseHandlerError, api.CauseBehind, api.CauseParked, api.CauseDeadLetter, api.CauseNoAnswer, api.CauseSagaReview, api.CauseSagaWaits, api.CauseUnknown},
}

func anyOf[T any](values []T) []any {
	all := make([]any, len(values))
	for i, v := range values {
		all[i] = v
	}
	return all
}

// of is the schema of a type.
func (s schemas) of(t reflect.Type) object {
	if values, ok := enums[t]; ok {
		return object{"type": "string", "enum": values}
	}
	switch t {
	case timeType:
		return object{"type": "string", "format": "date-time"}
	case rawType:
		return object{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer", "format": "int64"}
	case reflect.Int16, reflect.Int32:
		return object{"type": "integer", "format": "int32"}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return object{"type": "string", "contentEncoding": "base64"}
		}
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Struct:
		return s.component(t)
	}
	return object{} // any
}

// component refers to a struct's schema, which it adds where it is not there yet.
func (s schemas) component(t reflect.Type) object {
	name := schemaName(t)
	ref := object{"$ref": "#/components/schemas/" + name}
	if _, known := s.components[name]; known {
		return ref
	}
	properties := object{}
	schema := object{"type": "object", "properties": properties}
	s.components[name] = schema // before its fields, which may refer to it
	if text := descriptions[typeKey(t)]; text != "" {
		schema["description"] = text
	}
	var required []string
	for _, f := range api.FieldsOf(t) {
		properties[f.Name] = s.field(f)
		if !f.Optional {
			required = append(required, f.Name)
		}
	}
	if len(required) > 0 {
		schema["required"] = required
	}
	return ref
}

// field is a property's schema with its description.
func (s schemas) field(f api.Field) object {
	schema := s.of(f.Type)
	if f.Type.Kind() == reflect.Pointer && !f.Optional {
		schema = object{"anyOf": []any{schema, object{"type": "null"}}}
	}
	if text := describe(f); text != "" {
		schema["description"] = text
	}
	return schema
}

func describe(f api.Field) string { return descriptions[typeKey(f.Owner)+"."+f.GoName] }

// typeKey names a type as the descriptions do: its package's last element and its
// name without type parameters.
func typeKey(t reflect.Type) string {
	name, _, _ := strings.Cut(t.Name(), "[")
	return path.Base(t.PkgPath()) + "." + name
}

// withPackage are the types in a type parameter's list.
var withPackage = regexp.MustCompile(`[^\[\],]*/([a-z]+)\.`)

// schemaName is a type's name, with the package's before it where that is another than
// api: api.Page[api.Topic] is PageOfTopic.
func schemaName(t reflect.Type) string {
	name, parameter, generic := strings.Cut(t.Name(), "[")
	if generic {
		parameter = withPackage.ReplaceAllString(strings.TrimSuffix(parameter, "]"), "$1.")
		name += "Of" + strings.TrimPrefix(parameter, "api.")
	}
	switch pkg := path.Base(t.PkgPath()); {
	case pkg == "api":
		return name
	case pkg == "console" && name == "none":
		return "Empty"
	case pkg == "console":
		return name
	default:
		return pkg + "." + name
	}
}
