export {};
//# sourceMappingURL=stack-types.js.map