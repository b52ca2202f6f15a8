--- Answers in words, in a floating window that grows while the model writes ($/lsp_server/partial).
---
--- Owns the window, its keys and what follows the stream. Must not know what was asked. One window for all: it
--- shows the newest answer; each answer is a buffer of its own, so that one can be kept in a split.

local runs = require("lsp_server.runs")

local M = {}

local WIDEST = 88 -- columns that are good to read
local SHARE = 0.5 -- of the screen's lines at most: the code stays in sight
local ROOM = 10 -- lines below the cursor that are enough to open the window there

---@class lsp_server.Partial what the server tells of a run, see editors/README.md
---@field token lsp.ProgressToken
---@field answer boolean
---@field title string
---@field text string
---@field done? boolean
---@field state? "answered"|"stopped"|"failed"
---@field message? string
---@field notes? string[]

---@class lsp_server.Answer
---@field bufnr integer
---@field token lsp.ProgressToken
---@field title string
---@field done boolean
---@field lines string[]

---@class lsp_server.AskedAt where the user was when a question was asked
---@field win integer
---@field cursor integer[]
---@field tick integer

---@type lsp_server.Answer?
local latest
---@type table<lsp.ProgressToken, lsp_server.Answer>
local growing = {}
---@type table<lsp.ProgressToken, lsp_server.AskedAt>
local asked = {}
---@type integer?
local window

---@return integer?
local function open_window()
  return window and vim.api.nvim_win_is_valid(window) and window or nil
end

---@return lsp_server.AskedAt
local function here()
  return {
    win = vim.api.nvim_get_current_win(),
    cursor = vim.api.nvim_win_get_cursor(0),
    tick = vim.b.changedtick,
  }
end

--- Remember where a question is asked: if nobody has moved since, the answer gets the keys.
---@param token lsp.ProgressToken
function M.asked(token)
  asked[token] = here()
end

---@param text string
---@return string
local function quoted(text)
  return ("*%s*"):format((text:gsub("%s+", " "):gsub("%*", "\\*")))
end

--- Return what the window shows of an answer.
---@param partial lsp_server.Partial
---@return string[]
local function lines_of(partial)
  local parts = { vim.trim(partial.text) }
  if partial.done and partial.state ~= "answered" then
    local failed = partial.state == "failed"
    parts[#parts + 1] = quoted(failed and partial.message or "Stopped.")
  end
  for at, note in ipairs(partial.notes or {}) do
    parts[#parts + 1] = (at == 1 and "---\n\n" or "") .. quoted(note)
  end
  if parts[1] == "" then
    table.remove(parts, 1)
  end
  if #parts == 0 and not partial.done then
    parts[1] = quoted((runs.message(partial.token) or "waiting for the model") .. " …")
  end
  return vim.split(table.concat(parts, "\n\n"), "\n", { plain = true })
end

--- Change the lines of a buffer that are others now, and no more: the rest need not be drawn again.
---@param answer lsp_server.Answer
---@param lines string[]
local function write(answer, lines)
  local same = 0
  while same < #lines and lines[same + 1] == answer.lines[same + 1] do
    same = same + 1
  end
  vim.bo[answer.bufnr].modifiable = true
  vim.api.nvim_buf_set_lines(answer.bufnr, same, -1, false, vim.list_slice(lines, same + 1))
  vim.bo[answer.bufnr].modifiable = false
  answer.lines = lines
end

--- Show the end of the text in the windows whose cursor was there before it grew.
---@param bufnr integer
---@param change fun()
local function following(bufnr, change)
  local last = vim.api.nvim_buf_line_count(bufnr)
  local wins = vim.tbl_filter(function(win)
    return vim.api.nvim_win_get_cursor(win)[1] == last
  end, vim.fn.win_findbuf(bufnr))
  change()
  for _, win in ipairs(wins) do
    vim.api.nvim_win_set_cursor(win, { vim.api.nvim_buf_line_count(bufnr), 0 })
    vim.api.nvim_win_call(win, function()
      vim.cmd("normal! zb") -- the last line at the bottom, so that a higher window shows more above it
    end)
  end
end

--- Return the place of the window: near the cursor, where the screen has more room.
---@param wanted_height integer
---@return vim.api.keyset.win_config
local function geometry(wanted_height)
  local win = vim.api.nvim_get_current_win()
  if vim.api.nvim_win_get_config(win).relative ~= "" then
    win = vim.fn.win_getid(vim.fn.winnr("#"))
    win = win ~= 0 and win or vim.api.nvim_get_current_win()
  end
  local cursor = vim.api.nvim_win_get_cursor(win)
  local row = math.max(vim.fn.screenpos(win, cursor[1], 1).row, 1)
  local below = vim.o.lines - vim.o.cmdheight - (vim.o.laststatus > 0 and 1 or 0) - row - 2
  local above = row - 1 - 2 - (vim.o.showtabline > 0 and 1 or 0)
  local is_below = below >= ROOM or below >= above
  local highest = math.max(3, math.min(is_below and below or above, math.floor(vim.o.lines * SHARE)))
  local info = vim.fn.getwininfo(win)[1]
  local left = math.max(0, info.wincol - 1 + info.textoff - 1)
  local width = math.max(20, math.min(WIDEST, vim.o.columns - 2, math.max(info.width - info.textoff, 60)))
  return {
    relative = "editor",
    anchor = is_below and "NW" or "SW",
    row = is_below and row or row - 1,
    col = math.min(left, math.max(0, vim.o.columns - width - 2)),
    width = width,
    height = math.max(1, math.min(wanted_height, highest)),
  }
end

---@type integer
local highest = 1

--- Give the window the height of its text, up to the room it has.
---@param win integer
local function fit(win)
  local now = vim.api.nvim_win_get_height(win)
  if now >= highest then
    return -- how high a long text is takes Neovim longer than writing it
  end
  local height = vim.api.nvim_win_text_height(win, {}).all
  local wanted = math.max(now, math.min(height, highest))
  if wanted ~= now then
    vim.api.nvim_win_set_config(win, { height = wanted })
  end
end

---@param answer lsp_server.Answer
---@return table
local function frame(answer)
  -- Neovim writes titles to the terminal as they are, control characters included.
  local title = vim.fn.strtrans((answer.title:gsub("%s+", " ")))
  local keys = answer.done and "q close · o keep in a split" or "<C-c> stop · q close"
  return { title = (" %s "):format(title), footer = (" %s "):format(keys) }
end

--- Delete the buffer of an answer that nobody can see any more.
---@param answer lsp_server.Answer?
local function drop(answer)
  if answer and answer.done and answer ~= latest and vim.api.nvim_buf_is_valid(answer.bufnr) then
    if #vim.fn.win_findbuf(answer.bufnr) == 0 then
      vim.api.nvim_buf_delete(answer.bufnr, { force = true })
    end
  end
end

--- Close the window; a model that still writes goes on, and `show` shows it again.
function M.close()
  local win = open_window()
  if win then
    vim.api.nvim_win_close(win, true)
  end
  window = nil
end

--- Keep the newest answer in a split, and take the window away.
function M.keep()
  local answer = latest
  if not answer then
    return
  end
  M.close()
  vim.cmd("botright vertical sbuffer " .. answer.bufnr)
  vim.wo.wrap, vim.wo.linebreak, vim.wo.conceallevel = true, true, 2
end

---@param bufnr integer
---@param token lsp.ProgressToken
local function set_keys(bufnr, token)
  local function map(key, action, desc)
    vim.keymap.set("n", key, action, { buffer = bufnr, nowait = true, desc = desc })
  end
  local function close()
    if not pcall(vim.cmd.close) then
      vim.cmd.enew() -- it was kept in a split, and is the last window now
    end
  end
  map("q", close, "Close the answer")
  map("<Esc>", close, "Close the answer")
  map("<C-c>", function()
    runs.stop(token)
  end, "Stop the model")
  map("o", M.keep, "Keep the answer in a split")
end

---@param partial lsp_server.Partial
---@return lsp_server.Answer
local function new_answer(partial)
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.bo[bufnr].bufhidden = "hide"
  vim.bo[bufnr].filetype = "markdown"
  vim.bo[bufnr].modifiable = false
  pcall(vim.treesitter.start, bufnr, "markdown")
  set_keys(bufnr, partial.token)
  return { bufnr = bufnr, token = partial.token, title = partial.title, done = false, lines = {} }
end

---@param answer lsp_server.Answer
---@param enter boolean
local function open(answer, enter)
  local win = open_window()
  if win then
    vim.api.nvim_win_set_buf(win, answer.bufnr)
  else
    local config = geometry(vim.o.lines)
    highest = config.height
    config = vim.tbl_extend("force", config, { height = 1, style = "minimal", border = "rounded" }, frame(answer))
    win = vim.api.nvim_open_win(answer.bufnr, false, config)
    window = win
    vim.wo[win].wrap, vim.wo[win].linebreak, vim.wo[win].breakindent = true, true, true
    vim.wo[win].conceallevel, vim.wo[win].concealcursor = 2, "n"
  end
  if enter then
    vim.api.nvim_set_current_win(win)
  end
end

---@param answer lsp_server.Answer
---@param partial lsp_server.Partial
local function update(answer, partial)
  answer.done = partial.done or false
  following(answer.bufnr, function()
    write(answer, lines_of(partial))
    local win = open_window()
    if win and answer == latest then
      vim.api.nvim_win_set_config(win, frame(answer))
      fit(win)
    end
  end)
end

--- Take what the server tells of a run; only answers in words are shown here.
---@param partial lsp_server.Partial
function M.on_partial(partial)
  if not partial.answer then
    return
  end
  local answer = growing[partial.token]
  if not answer then
    local before = latest
    answer = new_answer(partial)
    growing[partial.token], latest = answer, answer
    local at = asked[partial.token]
    open(answer, at ~= nil and vim.api.nvim_get_mode().mode == "n" and vim.deep_equal(at, here()))
    asked[partial.token] = nil
    runs.hide(partial.token)
    drop(before)
  end
  if vim.api.nvim_buf_is_valid(answer.bufnr) then
    update(answer, partial)
  end
  if answer.done then
    growing[partial.token] = nil
    drop(answer)
  end
end

--- Show the newest answer again and go there; false if there has been none.
---@return boolean
function M.show()
  if not (latest and vim.api.nvim_buf_is_valid(latest.bufnr)) then
    return false
  end
  open(latest, true)
  local win = assert(window)
  fit(win)
  vim.api.nvim_win_set_cursor(win, { 1, 0 })
  return true
end

return M
