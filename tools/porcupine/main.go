// Reads histories of one key from standard input, one JSON array a line, and says of each whether
// Porcupine finds it linearizable: `true` or `false`. A second opinion on our own checker.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/anishathalye/porcupine"
)

// An absent value is -1. An answer that nobody knows has `Known` false and returns at the end.
type operation struct {
	Kind     string
	Value    int
	Expected int
	Known    bool
	Done     bool
	Read     int
	Call     int64
	Return   int64
}

var register = porcupine.Model{
	Init: func() interface{} { return -1 },
	Step: func(state, input, _ interface{}) (bool, interface{}) {
		now := state.(int)
		op := input.(operation)
		switch op.Kind {
		case "get":
			return !op.Known || op.Read == now, now
		case "put":
			return true, op.Value
		case "delete":
			return !op.Known || op.Done == (now != -1), -1
		default:
			same := op.Expected == now
			if same {
				return !op.Known || op.Done, op.Value
			}
			return !op.Known || !op.Done, now
		}
	},
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<26)
	for lines.Scan() {
		var operations []operation
		if err := json.Unmarshal(lines.Bytes(), &operations); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		history := make([]porcupine.Operation, len(operations))
		for i, op := range operations {
			history[i] = porcupine.Operation{ClientId: i, Input: op, Call: op.Call, Output: nil, Return: op.Return}
		}
		fmt.Println(porcupine.CheckOperations(register, history))
	}
}
