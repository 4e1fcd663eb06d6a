#!/usr/bin/env node
// The clone's own build under the name it has when installed.
import '../../dist/cli/main.js'
