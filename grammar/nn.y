/*
 * nn.y - the one form that every statement of a .nn file has:
 *
 *     NAME (argument | key=value)* ( ';' | '{' statement* '}' )
 *
 * No name is a keyword. What names mean is decided after parsing, from tables, so a
 * new layer, activation or setting never touches this file. An action is one ast_*()
 * call. A statement with an error is left out; parsing goes on after its ';' or '}'.
 */
%require "3.8"
%define api.pure full
%define api.location.type {Span}
%define api.token.prefix {TOK_}
%define api.value.type union
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%parse-param {Parse *parse} {void *scanner}
%lex-param {void *scanner}

%code requires {
#include "ast.h"
}
%code provides {
int yylex(YYSTYPE *value, Span *span, void *scanner);
}
%code {
#define YYLLOC_DEFAULT(here, rhs, n) ((here) = location(parse->source, rhs, n))

static Span location(const Source *source, const Span *rhs, int n);
static void yyerror(const Span *at, Parse *parse, void *scanner, const char *message);
}
%initial-action {
	@$ = (Span){parse->source, 0, 0};
}

%token END 0
%token <Value> NAME     /* relu */
%token <Value> CALL     /* leaky_relu, where a '(' follows immediately */
%token <Value> NUMBER   /* 128, 0.2; outside ( ) also -1 and 1/255 */
%token <Value> SHAPE    /* 28x28x1 */
%token <Value> STRING
%token SEMICOLON ";" COMMA "," EQUALS "="
%token LBRACE "{" RBRACE "}" LPAREN "(" RPAREN ")" LBRACKET "[" RBRACKET "]"
%token PLUS "+" MINUS "-" TIMES "*" OVER "/" MODULO "%"

%left "+" "-"
%left "*" "/" "%"
%precedence NEGATE

%type <StmtList> file parts stmts body
%type <Stmt> stmt
%type <ArgList> args params some_params tuple items
%type <Arg> arg param
%type <Value> value expr

%%

file: parts stmts               { parse->file = $$ = ast_join($1, $2); };

parts:                          /* a '}' that nothing opened, or none */
    %empty                      { $$ = (StmtList){NULL, 0}; }
  | parts stmts "}"             { syntax_stray(parse, @3); $$ = ast_join($1, $2); }
  | parts stmts error "}"       { yyerrok; $$ = ast_join($1, $2); };

stmts:
    %empty                      { $$ = (StmtList){NULL, 0}; }
  | stmts stmt                  { $$ = ast_stmts($1, $2); }
  | stmts error ";"             { yyerrok; }
  | stmts error body            { yyerrok; };

stmt:
    NAME args ";"               { $$ = ast_stmt(span_join(@1, @2), $1, $2); }
  | NAME args body              { $$ = ast_body(span_join(@1, @2), $1, $2, $3); };

body:
    "{" stmts "}"               { $$ = $2; }
  | "{" stmts error "}"         { yyerrok; $$ = $2; };

args:
    %empty                      { $$ = (ArgList){NULL, 0}; }
  | args arg                    { $$ = ast_args($1, $2); };

arg:
    value                       { $$ = ast_arg($1); }
  | NAME "=" value              { $$ = ast_key($1, $3); };

value:
    NAME | NUMBER | SHAPE | STRING
  | CALL "(" params ")"         { $$ = ast_call(@$, $1, $3); }
  | "(" expr ")"                { $$ = ast_paren(@$, $2); }
  | "(" tuple ")"               { $$ = ast_items(VALUE_TUPLE, @$, $2); }
  | "[" items "]"               { $$ = ast_items(VALUE_LIST, @$, $2); };

items:
    value                       { $$ = ast_first(ast_arg($1)); }
  | items "," value             { $$ = ast_args($1, ast_arg($3)); };

tuple:                          /* two or more */
    expr "," expr               { $$ = ast_args(ast_first(ast_arg($1)), ast_arg($3)); }
  | tuple "," expr              { $$ = ast_args($1, ast_arg($3)); };

params:
    %empty                      { $$ = (ArgList){NULL, 0}; }
  | some_params;

some_params:
    param                       { $$ = ast_first($1); }
  | some_params "," param       { $$ = ast_args($1, $3); };

param:
    expr                        { $$ = ast_arg($1); }
  | NAME "=" expr               { $$ = ast_key($1, $3); };

expr:
    value
  | "-" expr %prec NEGATE       { $$ = ast_negate(@$, $2); }
  | expr "+" expr               { $$ = ast_binary(@$, $1, '+', $3); }
  | expr "-" expr               { $$ = ast_binary(@$, $1, '-', $3); }
  | expr "*" expr               { $$ = ast_binary(@$, $1, '*', $3); }
  | expr "/" expr               { $$ = ast_binary(@$, $1, '/', $3); }
  | expr "%" expr               { $$ = ast_binary(@$, $1, '%', $3); };

%%

/* What a rule spans: from its first symbol to its last, or nothing behind rhs[0]. */
static Span location(const Source *source, const Span *rhs, int n)
{
	if (n > 0)
		return span_join(rhs[1], rhs[n]);
	return (Span){source, rhs[0].end, rhs[0].end};
}

/* Tells syntax.c what could have stood here; the words are found there. */
static int yyreport_syntax_error(const yypcontext_t *context, Parse *parse,
                                 void *scanner)
{
	yysymbol_kind_t expected[YYNTOKENS];
	int n = yypcontext_expected_tokens(context, expected, YYNTOKENS);
	unsigned wanted = 0;
	(void)scanner;
	(void)yypcontext_location;
	(void)yypcontext_token;
	for (int i = 0; i < n; i++) {
		wanted |= expected[i] == YYSYMBOL_NUMBER ? WANT_VALUE : 0;
		wanted |= expected[i] == YYSYMBOL_SEMICOLON ? WANT_SEMICOLON : 0;
		wanted |= expected[i] == YYSYMBOL_PLUS ? WANT_OPERATOR : 0;
		wanted |= expected[i] == YYSYMBOL_RPAREN ? WANT_CLOSE : 0;
		wanted |= expected[i] == YYSYMBOL_RBRACKET ? WANT_CLOSE : 0;
	}
	syntax_error(parse, wanted);
	return 0;
}

/* Only for the parser's own limit, which the scanner's on nesting keeps out of reach. */
static void yyerror(const Span *at, Parse *parse, void *scanner,
                    const char *message)
{
	(void)parse;
	(void)scanner;
	diag_error(*at, "%s", message);
}
