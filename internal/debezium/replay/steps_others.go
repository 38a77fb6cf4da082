package replay

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// sinks: their offsets are those of a consumer group; and a task that fails.
func sinks() []step {
	patch := func(about, body string) step { return do(about, "PATCH", theWords+"/offsets", body) }
	const partition = `{"kafka_topic":"` + lines + `","kafka_partition":0}`
	return []step{
		do("a sink", "POST", "/connectors", `{"name":"`+words+`","config":{`+aSink+`,"consumer.override.auto.offset.reset":"earliest"}}`),
		running("it runs", theWords, 1),
		get("it", theWords),
		{about: "its topics, once it has read from one", method: "GET", path: theWords + "/topics", until: has(lines)},
		{about: "its offsets, once stored", method: "GET", path: theWords + "/offsets", until: has("kafka_offset"), keep: anyOffset},
		patch("changed while it runs", `{"offsets":[{"partition":`+partition+`,"offset":{"kafka_offset":1}}]}`),
		do("stopped", "PUT", theWords+"/stop", ""),
		state("it is stopped", theWords, "STOPPED", 0),
		patch("a partition of another kind", `{"offsets":[{"partition":{"filename":"x"},"offset":{"kafka_offset":1}}]}`),
		patch("an offset of another kind", `{"offsets":[{"partition":`+partition+`,"offset":{"position":1}}]}`),
		patch("an offset before the first", `{"offsets":[{"partition":`+partition+`,"offset":{"kafka_offset":-1}}]}`),
		patch("a topic that is not", `{"offsets":[{"partition":{"kafka_topic":"none","kafka_partition":0},"offset":{"kafka_offset":1}}]}`),
		patch("changed", `{"offsets":[{"partition":`+partition+`,"offset":{"kafka_offset":1}}]}`),
		get("they are changed", theWords+"/offsets"),
		patch("one is deleted", `{"offsets":[{"partition":`+partition+`,"offset":null}]}`),
		get("none", theWords+"/offsets"),
		patch("put back", `{"offsets":[{"partition":`+partition+`,"offset":{"kafka_offset":1}}]}`),
		do("all are deleted", "DELETE", theWords+"/offsets", ""),
		get("none", theWords+"/offsets"),
		do("a converter that cannot read its topic", "PUT", theWords+"/config", `{`+aSink+`,"value.converter":"`+jsonC+`","consumer.override.auto.offset.reset":"earliest"}`),
		do("resumed", "PUT", theWords+"/resume", ""),
		{about: "its task fails", method: "GET", path: theWords + "/status", until: taskIs("FAILED")},
		get("the task", theWords+"/tasks/0/status"),
		do("restarted with the task that failed", "POST", theWords+"/restart?includeTasks=true&onlyFailed=true", ""),
		{about: "it fails again", method: "GET", path: theWords + "/status", until: taskIs("FAILED")},
		do("deleted", "DELETE", theWords, ""),
		gone("it is gone", theWords+"/status"),
	}
}

func plugins() []step {
	validate := func(about, plugin, config string, keep func(any) any) step {
		s := do(about, "PUT", "/connector-plugins/"+plugin+"/config/validate", "{"+config+"}")
		s.keep = keep
		return s
	}
	ofFiles := func(body any) any { return only(body, "org.apache.kafka.connect.file.") }
	builtIn := func(body any) any {
		return only(body, "org.apache.kafka.connect.file.", "org.apache.kafka.connect.transforms.", "org.apache.kafka.connect.converters.",
			"org.apache.kafka.connect.storage.", "org.apache.kafka.connect.json.")
	}
	return []step{
		{about: "the connectors (those of files)", method: "GET", path: "/connector-plugins", keep: ofFiles},
		{about: "all plugins (those that come with Kafka)", method: "GET", path: "/connector-plugins?connectorsOnly=false", keep: builtIn},
		get("the keys of a source", "/connector-plugins/FileStreamSource/config"),
		get("the same by its class", "/connector-plugins/"+source+"/config"),
		get("the keys of a sink", "/connector-plugins/FileStreamSinkConnector/config"),
		get("the keys of a converter", "/connector-plugins/"+jsonC+"/config"),
		get("the keys of a transform", "/connector-plugins/org.apache.kafka.connect.transforms.HoistField$Value/config"),
		get("a plugin nobody knows", "/connector-plugins/Nothing/config"),
		validate("a configuration that is right", "FileStreamSource", `"name":"x",`+aSource, nil),
		validate("the same by its class", source, `"name":"x",`+aSource, wrong),
		validate("with a key nobody knows", "FileStreamSource", `"name":"x","colour":"red",`+aSource, wrong),
		validate("one key is missing, one is wrong", "FileStreamSource", `"name":"x","connector.class":"FileStreamSource","tasks.max":"many"`, wrong),
		validate("no name", "FileStreamSource", aSource, wrong),
		validate("with a transform", "FileStreamSource", `"name":"x",`+aSource+`,"transforms":"a","transforms.a.type":"org.apache.kafka.connect.transforms.HoistField$Value"`, steered),
		validate("with a transform and a predicate", "FileStreamSource", `"name":"x",`+aSource+`,"transforms":"a","transforms.a.type":"org.apache.kafka.connect.transforms.HoistField$Value","transforms.a.field":"f","transforms.a.predicate":"p","predicates":"p","predicates.p.type":"org.apache.kafka.connect.transforms.predicates.TopicNameMatches"`, steered),
		validate("a sink", "FileStreamSink", `"name":"x",`+aSink, nil),
		validate("no class", "FileStreamSource", `"name":"x"`, wrong),
		validate("another class", "FileStreamSource", `"name":"x",`+aSink, wrong),
		validate("a plugin nobody knows", "Nothing", `"name":"x","connector.class":"Nothing"`, wrong),
		do("no body", "PUT", "/connector-plugins/FileStreamSource/config/validate", ""),
	}
}

func admin() []step {
	const logger = "/admin/loggers/replay.logger"
	return []step{
		do("a level", "PUT", logger, `{"level":"TRACE"}`),
		get("it is changed", logger),
		do("a level that is none", "PUT", logger, `{"level":"LOUD"}`),
		do("no level", "PUT", logger, `{}`),
		do("the whole cluster's", "PUT", logger+"?scope=cluster", `{"level":"INFO"}`),
		{about: "every worker has heard of it", method: "GET", path: logger, until: func(status int, body any) bool {
			return status == http.StatusNotFound || has("INFO")(status, body)
		}},
		do("the level it has", "PUT", logger, `{"level":"INFO"}`),
		do("a scope that is none", "PUT", logger+"?scope=town", `{"level":"WARN"}`),
	}
}

// wrong keeps of a validation the keys with errors.
func wrong(body any) any {
	return configs(body, func(_ string, errors int) bool { return errors > 0 })
}

// steered keeps the keys that a transform or a predicate adds.
func steered(body any) any {
	return configs(body, func(name string, _ int) bool {
		return strings.HasPrefix(name, "transforms") || strings.HasPrefix(name, "predicates")
	})
}

func configs(body any, keep func(name string, errors int) bool) any {
	fields, _ := body.(map[string]any)
	list, ok := fields["configs"].([]any)
	if !ok {
		return body
	}
	fields["configs"] = slices.DeleteFunc(list, func(config any) bool {
		value, _ := config.(map[string]any)["value"].(map[string]any)
		name, _ := value["name"].(string)
		errors, _ := value["errors"].([]any)
		return !keep(name, len(errors))
	})
	return body
}

// only keeps the plugins whose class begins with one of the starts, in order.
func only(body any, starts ...string) any {
	list, ok := body.([]any)
	if !ok {
		return body
	}
	var kept []any
	for _, plugin := range list {
		class, _ := plugin.(map[string]any)["class"].(string)
		if slices.ContainsFunc(starts, func(start string) bool { return strings.HasPrefix(class, start) }) {
			kept = append(kept, plugin)
		}
	}
	return kept
}

// anyOffset blanks a number that depends on how often the source began again.
func anyOffset(body any) any {
	list, _ := body.(map[string]any)["offsets"].([]any)
	for _, entry := range list {
		if offset, ok := entry.(map[string]any)["offset"].(map[string]any); ok && offset["kafka_offset"] != nil {
			offset["kafka_offset"] = "<offset>"
		}
	}
	return body
}

func running(about, connector string, tasks int) step {
	return state(about, connector, "RUNNING", tasks)
}

// state waits for a connector and as many tasks to be in a state.
func state(about, connector, want string, tasks int) step {
	return step{about: about, method: "GET", path: connector + "/status", until: func(_ int, body any) bool {
		status, ok := body.(map[string]any)
		if !ok || stateOf(status["connector"]) != want {
			return false
		}
		list, _ := status["tasks"].([]any)
		return len(list) == tasks && !slices.ContainsFunc(list, func(task any) bool { return stateOf(task) != want })
	}}
}

// paused waits for a connector to be paused, whether it has tasks by then or not.
func paused(about, connector string) step {
	return step{about: about, method: "GET", path: connector + "/status", until: func(_ int, body any) bool {
		status, _ := body.(map[string]any)
		return stateOf(status["connector"]) == "PAUSED"
	}}
}

func taskIs(want string) func(int, any) bool {
	return func(_ int, body any) bool {
		status, _ := body.(map[string]any)
		list, _ := status["tasks"].([]any)
		return len(list) == 1 && stateOf(list[0]) == want
	}
}

func stateOf(part any) string {
	fields, _ := part.(map[string]any)
	state, _ := fields["state"].(string)
	return state
}

func gone(about, path string) step {
	return step{about: about, method: "GET", path: path, until: func(status int, _ any) bool { return status == http.StatusNotFound }}
}

// without waits for an answer that does not have the word any more.
func without(word string) func(int, any) bool {
	return func(status int, body any) bool { return !has(word)(status, body) }
}

// has waits for a word in the answer.
func has(word string) func(int, any) bool {
	return func(_ int, body any) bool {
		text, err := json.Marshal(body)
		// The name of the connector is among its topics' only answers.
		return err == nil && strings.Contains(strings.Replace(string(text), `"`+lines+`":`, "", 1), word)
	}
}
