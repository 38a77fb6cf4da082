package replay

import "net/http"

// created makes a source and looks at it from all sides.
func created() []step {
	return []step{
		do("created", "POST", "/connectors", `{"name":"`+lines+`","config":{`+aSource+`,"colour":"red"}}`),
		running("it runs", theLines, 1),
		do("the name is taken", "POST", "/connectors", `{"name":"`+lines+`","config":{`+aSource+`}}`),
		get("it", theLines),
		get("a slash at the end is accepted", theLines+"/"),
		get("its configuration", theLines+"/config"),
		get("its tasks", theLines+"/tasks"),
		get("its task's status", theLines+"/tasks/0/status"),
		get("a task that is not", theLines+"/tasks/7/status"),
		get("a task whose number is none", theLines+"/tasks/x/status"),
		{about: "its topics, once it has sent to one", method: "GET", path: theLines + "/topics", until: has(lines)},
		do("its topics are forgotten", "PUT", theLines+"/topics/reset", ""),
		{about: "no topics", method: "GET", path: theLines + "/topics", until: without(lines)},
		get("all", "/connectors"),
		get("all with statuses", "/connectors?expand=status"),
		get("all with information", "/connectors?expand=info"),
		get("all with both", "/connectors?expand=status&expand=info"),
		get("all, one of two words is unknown", "/connectors?expand=status&expand=nonsense"),
		{about: "its offsets, once stored", method: "GET", path: theLines + "/offsets", until: has("position")},
	}
}

func configured() []step {
	put := func(about, name, config string) step {
		return do(about, "PUT", "/connectors/"+name+"/config", "{"+config+"}")
	}
	const second = "replay-second"
	return []step{
		put("another configuration", lines, aSource+`,"batch.size":"100"`),
		running("it runs", theLines, 1),
		put("the same once more", lines, aSource+`,"batch.size":"100"`),
		running("it runs", theLines, 1),
		put("a value that is none", lines, aSource+`,"tasks.max":"many"`),
		put("another name", lines, `"name":"other",`+aSource),
		put("no class", lines, ``),
		do("no body", "PUT", theLines+"/config", ""),
		do("an array", "PUT", theLines+"/config", "[]"),
		do("a value that is a number", "PUT", theLines+"/config", `{`+aSource+`,"batch.size":200}`),
		running("it runs", theLines, 1),
		do("a part of it: one changed, one added, one removed", "PATCH", theLines+"/config", `{"batch.size":"300","colour":"blue","topic.creation.default.partitions":null}`),
		do("a part that was not there is put back", "PATCH", theLines+"/config", `{"topic.creation.default.partitions":"1"}`),
		do("a part that is refused", "PATCH", theLines+"/config", `{"tasks.max":"none"}`),
		do("nothing", "PATCH", theLines+"/config", `{}`),
		do("an array", "PATCH", theLines+"/config", `[]`),
		running("it runs", theLines, 1),
		put("a new name", second, `"connector.class":"`+source+`","file":"<folder>/none.txt","topic":"`+lines+`"`),
		running("it runs", "/connectors/"+second, 1),
		do("deleted", "DELETE", "/connectors/"+second, ""),
		gone("it is gone", "/connectors/"+second+"/status"),
		gone("without a task", "/connectors/"+second+"/tasks/0/status"),
		do("created stopped", "POST", "/connectors", `{"name":"`+second+`","config":{`+aSource+`},"initial_state":"STOPPED"}`),
		state("it is stopped", "/connectors/"+second, "STOPPED", 0),
		do("deleted", "DELETE", "/connectors/"+second, ""),
		gone("it is gone", "/connectors/"+second+"/status"),
		do("created paused", "POST", "/connectors", `{"name":"`+second+`","config":{`+aSource+`},"initial_state":"paused"}`),
		paused("it is paused, without tasks", "/connectors/"+second),
		do("deleted", "DELETE", "/connectors/"+second, ""),
		gone("it is gone", "/connectors/"+second+"/status"),
	}
}

func states() []step {
	return []step{
		do("paused", "PUT", theLines+"/pause", ""),
		state("it is paused", theLines, "PAUSED", 1),
		do("paused again", "PUT", theLines+"/pause", ""),
		do("restarted while it is paused", "POST", theLines+"/restart", ""),
		state("it is paused", theLines, "PAUSED", 1),
		do("resumed", "PUT", theLines+"/resume", ""),
		running("it runs", theLines, 1),
		do("resumed again", "PUT", theLines+"/resume", ""),
		do("restarted, the connector alone", "POST", theLines+"/restart", ""),
		running("it runs", theLines, 1),
		do("restarted where it failed, which it did not", "POST", theLines+"/restart?onlyFailed=true", ""),
		running("it runs", theLines, 1),
		do("restarted with the tasks that failed, which none did", "POST", theLines+"/restart?includeTasks=true&onlyFailed=true", ""),
		running("it runs", theLines, 1),
		do("the defaults said", "POST", theLines+"/restart?includeTasks=false&onlyFailed=false", ""),
		running("it runs", theLines, 1),
		do("its task restarted", "POST", theLines+"/tasks/0/restart", ""),
		running("it runs", theLines, 1),
		do("restarted with its tasks", "POST", theLines+"/restart?includeTasks=true", ""),
		running("it runs", theLines, 1),
		do("a task that is not", "POST", theLines+"/tasks/7/restart", ""),
		do("a method that is not allowed", "POST", theLines+"/status", ""),
	}
}

// offsets of a source: they are changed while it is stopped.
func offsets() []step {
	patch := func(about, body string) step { return do(about, "PATCH", theLines+"/offsets", body) }
	const file = `{"filename":"<folder>/lines.txt"}`
	return []step{
		patch("changed while it runs", `{"offsets":[{"partition":`+file+`,"offset":{"position":4}}]}`),
		do("deleted while it runs", "DELETE", theLines+"/offsets", ""),
		do("paused", "PUT", theLines+"/pause", ""),
		state("it is paused", theLines, "PAUSED", 1),
		do("deleted while it is paused", "DELETE", theLines+"/offsets", ""),
		do("stopped", "PUT", theLines+"/stop", ""),
		state("it is stopped", theLines, "STOPPED", 0),
		do("stopped again", "PUT", theLines+"/stop", ""),
		get("no tasks", theLines+"/tasks"),
		get("no task", theLines+"/tasks/0/status"),
		get("it", theLines),
		do("restarted while it is stopped", "POST", theLines+"/restart?includeTasks=true", ""),
		state("it is stopped", theLines, "STOPPED", 0),
		get("its offsets", theLines+"/offsets"),
		{about: "no body", method: "PATCH", path: theLines + "/offsets", contentType: "application/json"},
		patch("nothing", `{}`),
		patch("no offsets", `{"offsets":[]}`),
		patch("a null among them", `{"offsets":[null]}`),
		patch("no partition", `{"offsets":[{"offset":{"position":4}}]}`),
		patch("an empty partition", `{"offsets":[{"partition":{},"offset":{"position":4}}]}`),
		patch("a partition of another kind", `{"offsets":[{"partition":{"name":"x"},"offset":{"position":4}}]}`),
		patch("an offset of another kind", `{"offsets":[{"partition":`+file+`,"offset":{"line":4}}]}`),
		patch("a position that is text", `{"offsets":[{"partition":`+file+`,"offset":{"position":"four"}}]}`),
		patch("a position before the first", `{"offsets":[{"partition":`+file+`,"offset":{"position":-1}}]}`),
		patch("a key nobody knows", `{"offsets":[{"partition":`+file+`,"offset":{"position":4},"colour":"red"}]}`),
		patch("the same partition twice", `{"offsets":[{"partition":`+file+`,"offset":{"position":4}},{"partition":`+file+`,"offset":{"position":8}}]}`),
		patch("changed", `{"offsets":[{"partition":`+file+`,"offset":{"position":4}}]}`),
		get("they are changed", theLines+"/offsets"),
		patch("another file's, too", `{"offsets":[{"partition":{"filename":"other"},"offset":{"position":1}}]}`),
		get("both", theLines+"/offsets"),
		patch("one is deleted", `{"offsets":[{"partition":{"filename":"other"},"offset":null}]}`),
		get("one is left", theLines+"/offsets"),
		do("all are deleted", "DELETE", theLines+"/offsets", ""),
		get("none", theLines+"/offsets"),
		do("deleted again", "DELETE", theLines+"/offsets", ""),
		do("paused", "PUT", theLines+"/pause", ""),
		paused("it is paused, without tasks", theLines),
		do("resumed", "PUT", theLines+"/resume", ""),
		running("it runs", theLines, 1),
		{about: "it has begun again", method: "GET", path: theLines + "/offsets", until: has("position")},
	}
}

func deleted() []step {
	return []step{
		do("deleted", "DELETE", theLines, ""),
		gone("it is gone", theLines+"/status"),
		do("deleted again", "DELETE", theLines, ""),
		gone("without a task", theLines+"/tasks/0/status"),
		get("its offsets", theLines+"/offsets"),
		{about: "none is left", method: "GET", path: "/connectors", until: func(status int, body any) bool {
			list, ok := body.([]any)
			return status == http.StatusOK && ok && len(list) == 0
		}},
	}
}
